import { join } from 'node:path'

declare const BUNDLED: boolean | undefined
const bundled = typeof BUNDLED !== 'undefined' && BUNDLED

const root = bundled ? import.meta.dirname : join(import.meta.dirname, '..')

/** A path below the program's root: the repository for sources, `dist/` for a bundle. */
export function programRoot(...parts: string[]): string {
  return join(root, ...parts)
}

/**
 * A path in the build output: beside a bundled program, in `dist/` for sources, as in tests and benchmarks. Our child
 * programs always start from there.
 */
export function builtRoot(...parts: string[]): string {
  return bundled ? join(root, ...parts) : join(root, 'dist', ...parts)
}
