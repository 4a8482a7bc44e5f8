/** The id of an operation and its group, from its method and path. */
export interface OperationName {
  id: string
  tag: string
}

const verbs = { get: 'get', post: 'post', put: 'set', patch: 'change', delete: 'delete' } as const

/**
 * Names an operation for generated clients:
 *
 * - `get /api/jobs` is `listJobs`, `get /api/jobs/{id}` is `getJob`, `get /api/jobs/{id}/runs` is `listJobRuns`;
 * - `post /api/jobs/{id}/run` is `runJob`: the last word of a post below a parameter is its verb;
 * - `post /api/tokens` is `createToken`, any other post is `postAuthPassword`, as its last word may be a verb or a
 *   noun;
 * - the operator's operations are named as such: `get /admin/instances` is `listAdminInstances`, in the group
 *   `admin-instances`;
 * - the jobs repo is below the jobs only in paths: `post /api/jobs/repo/sync` is `postRepoSync`.
 *
 * A route with an awkward name sets its own.
 */
export function operationName(method: keyof typeof verbs, path: string): OperationName {
  const parts = path
    .replace(/^\/api\/jobs\/(?=repo(\/|$))/, '/')
    .split('/')
    .filter(part => part !== '' && part !== 'api')
  const tag = (parts[0] === 'admin' ? parts.slice(0, 2).join('-') : parts[0]) ?? 'root'
  const isParameter = (part: string | undefined) => part?.startsWith('{') === true
  // A noun before a parameter is singular.
  const words = parts.flatMap((part, at) =>
    isParameter(part) ? [] : [isParameter(parts[at + 1]) ? singular(part) : part],
  )
  const last = parts.at(-1)
  const isList = !isParameter(last) && last !== undefined && singular(last) !== last
  if (method === 'post' && !isParameter(last) && parts.some(isParameter)) {
    const verb = words.pop() ?? ''
    return { id: camel([verb, ...words]), tag }
  }
  if (method === 'post') {
    const noun = words.map((word, at) => (at === words.length - 1 ? singular(word) : word))
    return { id: camel(isList ? ['create', ...noun] : ['post', ...words]), tag }
  }
  return { id: camel([method === 'get' && isList ? 'list' : verbs[method], ...words]), tag }
}

function singular(word: string): string {
  if (word.endsWith('ies')) return `${word.slice(0, -3)}y`
  return /[^s]s$/.test(word) && !word.endsWith('us') ? word.slice(0, -1) : word
}

function camel(words: readonly string[]): string {
  const [first = '', ...rest] = words
    .join('-')
    .split(/[^A-Za-z0-9]+/)
    .filter(word => word !== '')
  return first + rest.map(word => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}
