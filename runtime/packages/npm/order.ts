/** A tarball that npm finds in its cache. */
export interface Cached {
  /** The address that `package.json` names. */
  url: string
  /** Absolute. */
  file: string
}

/** The input of `npm-program.ts`, as JSON in the environment. */
export interface NpmOrder {
  /** The folder of the package `npm`. */
  npm: string
  cacheDir: string
  cached: readonly Cached[]
}

export const orderVariable = 'LONGHOUSE_NPM'
