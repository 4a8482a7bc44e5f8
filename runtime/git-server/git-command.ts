import { spawn } from 'node:child_process'
import { endingWithParent } from '../process/with-parent.ts'
import { gitEnvironment } from './served-repo.ts'

export interface GitResult {
  code: number | null
  stdout: Buffer
  /** The beginning of what it said. */
  stderr: string
  /** True if it wrote more than was allowed, and was ended. */
  tooMuch: boolean
}

interface GitOptions {
  /** The repository. */
  repo: string
  /** What it reads; without it, this program's own standard input. */
  input?: string
  /** It is ended when it writes more. */
  limitBytes?: number
}

const longestWords = 4096

/** Runs git in a repository of ours. Rejects if it cannot be started. */
export function git(
  args: readonly string[],
  { repo, input, limitBytes = 1024 * 1024 }: GitOptions,
): Promise<GitResult> {
  return new Promise((resolve, reject) => {
    const [command = 'git', ...before] = [...endingWithParent(), 'git']
    const child = spawn(command, [...before, ...args], {
      cwd: repo,
      env: { ...process.env, ...gitEnvironment, GIT_DIR: repo },
      stdio: [input === undefined ? 'inherit' : 'pipe', 'pipe', 'pipe'],
    })
    const pieces: Buffer[] = []
    let size = 0
    let stderr = ''
    child.stdout?.on('data', (piece: Buffer) => {
      size += piece.length
      if (size > limitBytes) child.kill('SIGKILL')
      else pieces.push(piece)
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(0, longestWords)
    })
    child.once('error', reject)
    child.once('close', code =>
      resolve({ code, stdout: Buffer.concat(pieces), stderr, tooMuch: size > limitBytes }),
    )
    // It may have ended before it read everything.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}

/** Runs a git that should succeed; throws with its words if it does not. Null if it wrote more than was allowed. */
export async function outputOf(args: readonly string[], options: GitOptions): Promise<Buffer | null> {
  const { code, stdout, stderr, tooMuch } = await git(args, { input: '', ...options })
  if (tooMuch) return null
  if (code !== 0) throw new Error(`git ${args[0]} failed: ${stderr.trim().split('\n')[0]}`)
  return stdout
}
