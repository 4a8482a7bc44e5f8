import { join } from 'node:path'

declare const BUNDLED: boolean | undefined
const bundled = typeof BUNDLED !== 'undefined' && BUNDLED

const root = bundled ? import.meta.dirname : join(import.meta.dirname, '..')

/** A path below the program's root: the repository when run from source, `dist/` when run from a bundle. */
export function programRoot(...parts: string[]): string {
  return join(root, ...parts)
}

/**
 * A path below what the build made: beside the program when that is a bundle, in `dist/` when it runs from source, as
 * tests and benchmarks do. Other programs of ours are always started from there.
 */
export function builtRoot(...parts: string[]): string {
  return bundled ? join(root, ...parts) : join(root, 'dist', ...parts)
}
