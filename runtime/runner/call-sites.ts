import { changeFilePromises } from '../isolation/file-promises.ts'

/** Functions whose promises fail without naming the caller. */
const fileCalls = [
  ...['access', 'appendFile', 'chmod', 'copyFile', 'cp', 'lstat', 'mkdir', 'mkdtemp', 'open', 'opendir'],
  ...['readdir', 'readFile', 'readlink', 'realpath', 'rename', 'rm', 'rmdir', 'stat', 'symlink', 'truncate'],
  ...['unlink', 'utimes', 'writeFile'],
]
const bodyCalls = ['arrayBuffer', 'blob', 'bytes', 'formData', 'json', 'text']

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown

/**
 * When Node's own functions fail after the call has returned, the stack contains no line of the job: `TypeError:
 * fetch failed`, and nothing more. From now on such an error names the lines of the call.
 */
export function nameCallSites(): void {
  const { fetch } = globalThis
  let known = false
  // Their class is loaded with the first of them, because loading takes long.
  const ofResponse = (response: Response): Response => {
    if (!known) for (const name of bodyCalls) nameSite(Object.getPrototypeOf(response), name)
    known = true
    return response
  }
  globalThis.fetch = Object.assign(function namedFetch(
    input: Parameters<typeof fetch>[0],
    init?: Parameters<typeof fetch>[1],
  ) {
    const site = siteAbove(namedFetch)
    return fetch(input, init).then(ofResponse, error => {
      throw withSite(error, site)
    })
  }, fetch)
  Object.defineProperty(globalThis.fetch, 'name', { value: 'fetch' })
  changeFilePromises(promises => {
    for (const name of fileCalls) nameSite(promises, name)
  })
}

function nameSite(holder: object, name: string): void {
  const original = Reflect.get(holder, name) as AnyFunction | undefined
  if (typeof original !== 'function') return
  const named: AnyFunction = function (...args) {
    const site = siteAbove(named)
    const given = original.apply(this, args)
    if (!(given instanceof Promise)) return given
    return given.catch((error: unknown) => {
      throw withSite(error, site)
    })
  }
  const properties = Object.getOwnPropertyDescriptors(original)
  Reflect.set(holder, name, Object.defineProperties(named, properties))
}

/** The stack above a call, formatted only when it is needed. */
function siteAbove(call: AnyFunction | ((...args: never[]) => unknown)): { stack?: string } {
  const site: { stack?: string } = {}
  Error.captureStackTrace(site, call)
  return site
}

const ownFrame = /^\s+at (?!.*\(?node:)(?!.*<anonymous>)/

function withSite(error: unknown, site: { stack?: string }): unknown {
  if (!(error instanceof Error) || typeof error.stack !== 'string') return error
  if (error.stack.split('\n').some(line => ownFrame.test(line))) return error
  // A job may have its own formatter of stacks.
  const frames = String(site.stack)
    .split('\n')
    .filter(line => ownFrame.test(line))
  try {
    error.stack = [error.stack, ...frames].join('\n')
  } catch {
    // A frozen error stays unchanged.
  }
  return error
}
