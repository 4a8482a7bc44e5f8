/**
 * The package that a `package.json` names: this one, or an `older` one of this instance; one `elsewhere`, at another
 * address; one that this instance `lacks`; or `none`.
 */
export type NamedSdk = 'current' | 'older' | 'elsewhere' | 'lacks' | 'none'

/** What a page shows of the package. */
export interface SdkState {
  /** What to install it from; null if the instance does not know its own public address. */
  address: string | null
  named: NamedSdk
}

/** The npm package `longhouse` that the instance serves: the types of `longhouse/jobs`, and the command. */
export interface SdkService {
  /** The address of the current package; null if the instance does not know its own public address. */
  address: string | null
  /** The path of the current package on the instance, such as `/sdk/longhouse-1.4.0-b0c1d2e3f4.tgz`. */
  path: string
  /** What the `package.json` in this folder names of it. */
  namedIn(jobsDir: string): NamedSdk
  /**
   * The tarball of this file name: the current one, or one that this instance served before. Null if there is none.
   */
  tarball(name: string): string | null
  /** Keeps the current package in the volume, so that it is served after an upgrade as well. */
  keep(): void
}

declare module '../../src/kernel/runtime.ts' {
  interface Services {
    sdk: SdkService
  }
}
