import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { documentFromBytes } from '../codec/document-bytes.ts';
import type { Document } from '../generated/fusemesh/v1/corpus_pb.ts';
import { documentAtPosition, type Numbering } from './document-numbering.ts';
import type { RunContext } from './names.ts';
import { readManifest } from './publish-documents.ts';
import { untilAnswered } from './until-answered.ts';

/** What a message of the documents' stream holds. */
export type DecodedDocument =
  | { readonly document: Document; readonly malformed: undefined }
  | {
      readonly document: undefined;
      /** Why it cannot be used. */
      readonly malformed: string;
      /** Number of the document that belongs there; undefined where it is published again behind a newer manifest. */
      readonly number: number | undefined;
    };

/**
 * Decodes messages of the documents' stream, and knows which document belongs at which position. It reads the manifest
 * again only when a message does not fit the last one: the manifest may have been lost and published again.
 */
export class DocumentDecoder {
  readonly #context: RunContext;
  readonly #signal: AbortSignal;
  #numbering: Numbering | undefined;

  constructor(context: RunContext, signal: AbortSignal) {
    this.#context = context;
    this.#signal = signal;
  }

  /** @throws FuseMeshError not_found where the run's streams are gone */
  async decode(bytes: Uint8Array, position: number): Promise<DecodedDocument> {
    const known = this.#numberAt(position);
    const decoded = known === undefined ? undefined : decodedAs(bytes, known);
    if (decoded?.document) return decoded;
    const { connection, names } = this.#context;
    const doing = `read the manifest of run ${names.run}`;
    this.#numbering = await untilAnswered(connection, doing, this.#signal, () => this.#readNumbering());
    return decodedAs(bytes, this.#numberAt(position));
  }

  /** Undefined before the manifest: those messages were numbered by a manifest that is lost. */
  #numberAt(position: number): number | undefined {
    const numbering = this.#numbering;
    if (numbering === undefined || position <= numbering.manifestPosition) return undefined;
    return documentAtPosition(position, numbering);
  }

  async #readNumbering(): Promise<Numbering | undefined> {
    try {
      return await readManifest(this.#context);
    } catch (error) {
      // That it cannot be used is reported by those who need the manifest itself.
      if (error instanceof FuseMeshError && error.code === 'data_loss') return undefined;
      throw error instanceof FuseMeshError && error.code === 'unavailable' ? error.cause : error;
    }
  }
}

function decodedAs(bytes: Uint8Array, number: number | undefined): DecodedDocument {
  try {
    return { document: documentFromBytes(bytes, number), malformed: undefined };
  } catch (error) {
    if (!(error instanceof FuseMeshError)) throw error;
    return { document: undefined, malformed: error.message, number };
  }
}
