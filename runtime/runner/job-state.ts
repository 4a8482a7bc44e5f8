/** What one job remembers, as JSON texts. A change that was answered is on the disk. */
export interface JobState {
  get(key: string): Promise<string | null>
  /** Throws a StateError when it would be more than a job may keep. */
  set(key: string, json: string): Promise<void>
  /** False when there was none. */
  delete(key: string): Promise<boolean>
  /** By key. */
  entries(): Promise<[key: string, json: string][]>
}

/** Something that a job asked for cannot be done; the message is for the author of the job. */
export class StateError extends Error {
  override name = 'StateError'
}
