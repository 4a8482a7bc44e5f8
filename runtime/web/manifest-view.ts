import type { ManifestView } from '../../views/instance/shapes.ts'
import type { ManifestState } from '../jobs/contract.ts'
import { sourceExcerpt } from './source-excerpt.ts'

/** The manifest's state with the lines around each of its errors. */
export function manifestView(repoFolder: string, manifest: ManifestState): ManifestView {
  return {
    ...manifest,
    errors: manifest.errors.map(error => ({
      ...error,
      excerpt: sourceExcerpt(repoFolder, error.file, error.line),
    })),
  }
}
