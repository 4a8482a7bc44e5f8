import type { ManifestWithExcerpts } from '../../views/instance/manifest-panel.tsx'
import type { ManifestState } from '../jobs/contract.ts'
import { sourceExcerpt } from './source-excerpt.ts'

/** Adds the lines around each error to the manifest's state. */
export function withExcerpts(repoFolder: string, manifest: ManifestState): ManifestWithExcerpts {
  return {
    ...manifest,
    errors: manifest.errors.map(error => ({
      ...error,
      excerpt: sourceExcerpt(repoFolder, error.file, error.line),
    })),
  }
}
