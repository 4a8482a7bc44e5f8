/** Limits of what is scanned and committed automatically: code, not a data store. */
export interface RepoBounds {
  /** Number of files in folders that git does not ignore. */
  files: number
  /** Total bytes of the files in one commit. */
  bytes: number
}

export const repoBounds: RepoBounds = { files: 10_000, bytes: 50 * 1024 * 1024 }
