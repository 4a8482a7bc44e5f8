/** The state of one job, as JSON texts. When a change is answered, it is on disk. */
export interface JobState {
  get(key: string): Promise<string | null>
  /** Throws a StateError when the job would keep more than it may. */
  set(key: string, json: string): Promise<void>
  /** Returns false when there is no such key. */
  delete(key: string): Promise<boolean>
  /** Sorted by key. */
  entries(): Promise<[key: string, json: string][]>
}

/** Something that a job asked for is impossible; the message is for the author of the job. */
export class StateError extends Error {
  override name = 'StateError'
}
