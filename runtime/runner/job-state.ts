/** The state of one job, as JSON texts. A confirmed change is on disk. */
export interface JobState {
  get(key: string): Promise<string | null>
  /** Throws a StateError if the job would store more than it may. */
  set(key: string, json: string): Promise<void>
  /** Returns false if there is no such key. */
  delete(key: string): Promise<boolean>
  /** Sorted by key. */
  entries(): Promise<[key: string, json: string][]>
}

/** A state operation that is impossible; the message is for the job's author. */
export class StateError extends Error {
  override name = 'StateError'
}
