/** Why packages are not installed, with the place in the repo that has to change. */
export interface PackagesError extends Error {
  file: string
  line: number | null
}

/** What a person has to change in a file before its packages can be installed. */
export class PackagesFault extends Error implements PackagesError {
  readonly file: string
  readonly line: number | null

  constructor(message: string, { file = 'package.json', line = null }: Partial<PackagesError> = {}) {
    super(message)
    this.file = file
    this.line = line
  }
}

/** The number of the first line that has this in it; null when none has. */
export function findInFile(text: string | null, what: string | RegExp): number | null {
  const at = typeof what === 'string' ? (text?.indexOf(what) ?? -1) : (text?.search(what) ?? -1)
  return at < 0 ? null : (text ?? '').slice(0, at).split('\n').length
}
