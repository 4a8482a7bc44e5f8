import { join } from 'node:path'
import { isTakenByPrograms, secretName } from '../../manifest/secret-names.ts'
import type { SecretsService } from '../../secrets/contract.ts'
import { readText } from '../files/package-files.ts'

/** The secrets that `.npmrc` of a repo names. */
export interface NpmSecrets {
  /** For the environment of the npm that fetches packages, and nothing else. */
  values: Record<string, string>
  /** Named there, and not set on the instance. */
  missing: string[]
  /** Changes when one of them is set, replaced or removed. */
  stamp: string
}

/** `.npmrc` says `${NAME}` for a secret; a `?` after the name makes nothing of one that is missing. */
export function npmSecrets(dir: string, secrets: Pick<SecretsService, 'reveal' | 'list'>): NpmSecrets {
  const text = readText(join(dir, '.npmrc')) ?? ''
  const named = [...text.matchAll(/(?<!\\)\$\{([A-Z][A-Z0-9_]*)(\??)\}/g)]
  const names = new Set(named.flatMap(([, name = '']) => (mayBeGiven(name) ? [name] : [])))
  if (names.size === 0) return { values: {}, missing: [], stamp: '' }
  const { values, missing } = secrets.reveal(names)
  const optional = new Set(named.flatMap(([, name = '', mark]) => (mark ? [name] : [])))
  const stamp = secrets
    .list([])
    .filter(({ name }) => names.has(name))
    .map(({ name, updatedAt }) => `${name} ${updatedAt}`)
    .join('\n')
  return { values, missing: missing.filter(name => !optional.has(name)), stamp }
}

/** `NPM_TOKEN` means nothing to npm by itself, unlike its settings and what other programs read. */
function mayBeGiven(name: string): boolean {
  if (!secretName.test(name) || /^NPM_CONFIG_/.test(name)) return false
  return /^NPM_/.test(name) || !isTakenByPrograms(name)
}
