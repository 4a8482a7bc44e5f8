/** A mistake in the manifest or in what it imports, and where it is; lines and columns count from 1. */
export interface ManifestError {
  file: string | null
  line: number | null
  column: number | null
  message: string
}
