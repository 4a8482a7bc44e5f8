/** An error in the manifest or in a file it imports, with its place; lines and columns count from 1. */
export interface ManifestError {
  file: string | null
  line: number | null
  column: number | null
  message: string
}
