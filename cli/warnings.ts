import type { JobSpec } from '../runtime/manifest/manifest.ts'
import { readWanted } from '../runtime/packages/files/wanted.ts'
import { exposureOf, localSecrets } from './secrets.ts'

/** Returns warnings about jobs that load but may surprise. `jobs` is null if the manifest has errors. */
export async function warningsOf(jobs: readonly JobSpec[] | null, dir: string): Promise<string[]> {
  const warnings = [...packageWarnings(dir)]
  if (jobs?.length === 0) warnings.push('manifest.ts registers no jobs')
  if (jobs) warnings.push(...secretWarnings(jobs, dir))
  const exposure = await exposureOf(dir)
  return exposure ? [...warnings, exposure] : warnings
}

function secretWarnings(jobs: readonly JobSpec[], dir: string): string[] {
  const missing = localSecrets(new Set(jobs.flatMap(job => job.secrets)), dir).missing
  return missing.map(name => {
    const ids = jobs.filter(job => job.secrets.includes(name)).map(job => job.id)
    const [first, ...others] = ids
    const who = others.length === 0 ? `${first} needs` : `${first} and ${others.length} more need`
    return `${who} the secret ${name}, which is not set in the environment or in .env; set it in the instance, too`
  })
}

function packageWarnings(dir: string): string[] {
  try {
    const wanted = readWanted(dir)
    if (wanted === null || wanted.there) return []
    return ['the installed packages do not match package.json; run npm install']
  } catch (error) {
    return [`package.json ${(error as Error).message}; an instance would not install its packages`]
  }
}
