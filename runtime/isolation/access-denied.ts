import { scratchFolder } from './reach.ts'

/**
 * Explains what a job may not do, and what it can do instead; null for any other error. Node's own message names a
 * flag that cannot be set here.
 */
export function accessDeniedInWords(error: object): string | null {
  const { code, permission, resource, message } = error as Record<string, unknown>
  if (code !== 'ERR_ACCESS_DENIED') return null
  switch (permission) {
    case 'FileSystemWrite':
      return `jobs may not write ${resource}; they keep files in ${scratchFolder}/ of the jobs repo, and temporary ones where os.tmpdir() says`
    case 'FileSystemRead':
      return `jobs may not read ${resource}; they read the jobs repo, the system's own files and what lies where os.tmpdir() says. Put what they need into the repo, or keys and passwords into secrets`
    case 'Inspector':
      return 'jobs may not open the inspector; use the log of the run'
    case 'FFI':
      return 'jobs may not use node:ffi; start a program, or use a native addon'
    default:
      if (message === 'process.binding')
        return 'jobs may not use process.binding, the inside of Node; a newer version of the package may do without'
      return /^fs\.symlink/.test(String(message))
        ? "jobs may not make links with Node's fs here; copy the file, or run ln -s"
        : null
  }
}

/**
 * Puts the explanation into the error itself, for jobs that catch it. Node creates the error in native code and then
 * sets `permission` and `resource` on it; setting them is the one step that all such errors share.
 */
export function explainAccessDenied(): void {
  for (const name of ['permission', 'resource']) {
    Object.defineProperty(Error.prototype, name, {
      configurable: true,
      get: () => undefined,
      set(this: Error, value: unknown) {
        Object.defineProperty(this, name, { value, writable: true, enumerable: true, configurable: true })
        if (name === 'resource') explain(this)
      },
    })
  }
}

function explain(error: Error): void {
  const words = accessDeniedInWords(error)
  const said = error.message
  if (words === null || !said) return
  const { stack } = error
  error.message = words
  if (typeof stack === 'string') error.stack = stack.replace(said, () => words)
}
