import { join } from 'node:path'

declare const BUNDLED: boolean | undefined

const root = typeof BUNDLED !== 'undefined' && BUNDLED ? import.meta.dirname : join(import.meta.dirname, '..')

/** A path below the program's root: the repository when run from source, `dist/` when run from a bundle. */
export function programRoot(...parts: string[]): string {
  return join(root, ...parts)
}
