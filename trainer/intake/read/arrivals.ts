/** Hears of every part of a document when it comes. */
export interface Arrivals {
  /**
   * @param source the teacher that sent it; "the feeder" for the text itself
   * @param traceparent where it belongs in a trace; undefined where it belongs to none or that is not known
   */
  arrived(document: number, source: string, traceparent?: string): void;
}
