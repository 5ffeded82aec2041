import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** A span as received. */
export interface ReceivedSpan {
  /** Attributes of the process that made it. */
  readonly resource: Attributes;
  readonly name: string;
  /** As in OTLP: 1 internal, 4 producer, 5 consumer. */
  readonly kind: number;
  /** In hexadecimal, like the next three. */
  readonly traceId: string;
  readonly spanId: string;
  /** Empty where a trace begins. */
  readonly parentSpanId: string;
  /** Trace and span. */
  readonly links: readonly (readonly [string, string])[];
  /** Nanoseconds since 1970. */
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: Attributes;
  /** The error that it failed with. */
  readonly failure: string | undefined;
}

type Attributes = Readonly<Record<string, string | number | boolean>>;

/** Reads an ExportTraceServiceRequest (opentelemetry/proto/collector/trace/v1). */
export function spansOf(request: Uint8Array): ReceivedSpan[] {
  return messages(request, 1).flatMap((resourceSpans) => {
    const [resource] = messages(resourceSpans, 1);
    const attributes = attributesOf(messages(resource, 1));
    return messages(resourceSpans, 2)
      .flatMap((scopeSpans) => messages(scopeSpans, 2))
      .map((span) => spanOf(span, attributes));
  });
}

function spanOf(bytes: Uint8Array, resource: Attributes): ReceivedSpan {
  const span = fieldsOf(bytes);
  const [status] = messages(bytes, 15);
  const failed = status !== undefined && fieldsOf(status).get(3)?.[0] === 2n;
  return {
    resource,
    name: text(span.get(5)?.[0]),
    kind: Number(span.get(6)?.[0]),
    traceId: hex(span.get(1)?.[0]),
    spanId: hex(span.get(2)?.[0]),
    parentSpanId: hex(span.get(4)?.[0]),
    links: messages(bytes, 13).map((link) => [
      hex(fieldsOf(link).get(1)?.[0]),
      hex(fieldsOf(link).get(2)?.[0]),
    ]),
    start: span.get(7)?.[0] as bigint,
    end: span.get(8)?.[0] as bigint,
    attributes: attributesOf(messages(bytes, 9)),
    failure: failed ? text(fieldsOf(status).get(2)?.[0]) : undefined,
  };
}

function attributesOf(keyValues: readonly Uint8Array[]): Attributes {
  return Object.fromEntries(
    keyValues.map((keyValue) => [
      text(fieldsOf(keyValue).get(1)?.[0]),
      attributeOf(messages(keyValue, 2)[0]),
    ]),
  );
}

/** An AnyValue that is a string, a boolean, an integer or a float64. */
function attributeOf(bytes: Uint8Array): string | number | boolean {
  const [[number, [value]]] = fieldsOf(bytes);
  if (number === 1) return text(value);
  if (number === 2) return value === 1n;
  if (number === 3) return Number(value);
  if (number === 4) return new Float64Array(BigUint64Array.of(value as bigint).buffer)[0];
  throw new Error(`An attribute has a value of kind ${number}.`);
}

type Field = bigint | Uint8Array;

/** The fields of a message by number, undecoded: nested messages and text as bytes, numbers as their bits. */
function fieldsOf(bytes: Uint8Array): Map<number, Field[]> {
  const reader = new BinaryReader(bytes);
  const fields = new Map<number, Field[]>();
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    fields.set(number, [...(fields.get(number) ?? []), fieldOf(reader, type)]);
  }
  return fields;
}

function fieldOf(reader: BinaryReader, type: WireType): Field {
  if (type === WireType.Varint) return BigInt(reader.uint64());
  if (type === WireType.Bit64) return BigInt(reader.fixed64());
  if (type === WireType.Bit32) return BigInt(reader.fixed32());
  return reader.bytes();
}

const messages = (bytes: Uint8Array, number: number) => (fieldsOf(bytes).get(number) ?? []) as Uint8Array[];
const text = (field: Field | undefined) => Buffer.from((field as Uint8Array) ?? []).toString('utf8');
const hex = (field: Field | undefined) => Buffer.from((field as Uint8Array) ?? []).toString('hex');
