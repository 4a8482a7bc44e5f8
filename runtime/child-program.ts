import { type ChildProcess, type ForkOptions, fork } from 'node:child_process'
import { programRoot } from '../src/root.ts'

declare const BUNDLED: boolean | undefined
const bundled = typeof BUNDLED !== 'undefined' && BUNDLED

/** The runtime's other programs. Node runs them from source too, for it strips types by itself. */
const programs = {
  'manifest-reader': 'runtime/jobs/manifest-reader.ts',
  runner: 'runtime/jobs/runner.ts',
  git: 'runtime/repo/git.ts',
  sync: 'runtime/sync/program.ts',
  history: 'runtime/repo/history-program.ts',
}

export function startProgram(name: keyof typeof programs, options: ForkOptions): ChildProcess {
  return fork(bundled ? programRoot(`${name}.js`) : programRoot(programs[name]), options)
}

/** What user code may see of our environment: what programs need to work, and no secret of ours. */
const passed = [
  'PATH',
  'HOME',
  'USER',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
]

export function userEnvironment(own: Record<string, string>): Record<string, string> {
  const kept = passed.flatMap(name => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return { ...Object.fromEntries(kept), ...own }
}
