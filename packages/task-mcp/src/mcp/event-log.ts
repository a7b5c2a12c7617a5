import type { SseEvent } from '@cloutagent/kit';

/** What a session keeps for readers that come back: some minutes of progress, or one page of a listing and more. */
const MAX_EVENTS = 512;
const MAX_CHARACTERS = 1024 * 1024;

interface Kept {
  readonly stream: number;
  readonly sequence: number;
  readonly data: string;
}

/** The last events of a session's streams, oldest first; what is too much is forgotten from the front. */
export class EventLog<Stream> {
  readonly #streams = new Map<number, Stream>();
  #kept: Kept[] = [];
  #characters = 0;
  #sequence = 0;
  #nextStream = 0;

  openStream(stream: Stream): number {
    const id = this.#nextStream;
    this.#nextStream += 1;
    this.#streams.set(id, stream);
    return id;
  }

  closeStream(id: number): void {
    this.#streams.delete(id);
  }

  /** @returns the event's id, unique in the session */
  append(stream: number, data: string): string {
    this.#sequence += 1;
    this.#kept.push({ stream, sequence: this.#sequence, data });
    this.#characters += data.length;
    while (this.#kept.length > MAX_EVENTS || this.#characters > MAX_CHARACTERS) {
      this.#characters -= this.#kept.shift()?.data.length ?? 0;
    }
    return `${stream}-${this.#sequence}`;
  }

  /**
   * What a reader missed whose last event this was, and its stream while that is open.
   * @returns undefined for an id that is none of this session's
   */
  after(eventId: string): { readonly missed: readonly SseEvent[]; readonly stream: Stream | undefined } | undefined {
    const [, stream, sequence] = /^(\d{1,15})-(\d{1,15})$/u.exec(eventId) ?? [];
    if (stream === undefined || sequence === undefined || Number(sequence) > this.#sequence) return undefined;
    const missed = this.#kept
      .filter((event) => event.stream === Number(stream) && event.sequence > Number(sequence))
      .map((event) => ({
        event: 'message',
        id: `${event.stream}-${event.sequence}`,
        data: event.data,
      }));
    return { missed, stream: this.#streams.get(Number(stream)) };
  }
}
