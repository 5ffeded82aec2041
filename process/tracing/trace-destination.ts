/** Where traces go, or why they cannot. */
export type TraceDestination =
  | { readonly endpoint: string; readonly problem?: undefined }
  | { readonly endpoint?: undefined; readonly problem: string };

/**
 * Whether traces are asked for, by OpenTelemetry's standard variables. All others of them are the SDK's own
 * to read.
 *
 * @returns undefined where nobody asks for traces
 */
export function traceDestination(environment: NodeJS.ProcessEnv): TraceDestination | undefined {
  const read = (name: string) => environment[name]?.trim() || undefined;
  if (read('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return undefined;
  const name = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'].find(read);
  if (name === undefined) return undefined;

  const endpoint = read(name)!;
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol)) {
    return { problem: `No traces are sent: ${name} is "${endpoint}", not a URL like http://127.0.0.1:4318.` };
  }
  const protocolName = ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'].find(read);
  const protocol = protocolName && read(protocolName);
  if (protocol !== undefined && protocol !== 'http/protobuf') {
    return {
      problem: `No traces are sent: ${protocolName} is ${protocol}, and only http/protobuf is supported (collectors take it on port 4318).`,
    };
  }
  const { origin, pathname } = new URL(endpoint);
  return { endpoint: origin + pathname };
}
