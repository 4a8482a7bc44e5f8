import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { ManifestError } from '../runtime/manifest/manifest-error.ts'
import { CommandError } from './command/jobs-folder.ts'

/**
 * Returns the errors of the jobs repo's own TypeScript; a warning if it is not installed, or the repo has no settings
 * for it.
 */
export async function checkTypes(
  dir: string,
  signal: AbortSignal,
): Promise<{ errors: ManifestError[]; warnings: string[] }> {
  const compiler = join(dir, 'node_modules/.bin/tsc')
  const skipped = (why: string) => ({ errors: [], warnings: [`types were not checked: ${why}`] })
  if (!existsSync(compiler)) {
    return skipped('no TypeScript is installed here (npm install --save-dev typescript)')
  }
  if (!existsSync(join(dir, 'tsconfig.json'))) return skipped('there is no tsconfig.json')
  const { code, text } = await outputOf(compiler, ['--noEmit', '--pretty', 'false', '-p', '.'], dir, signal)
  const errors = text.split('\n').flatMap(errorOf)
  if (code === 0 || errors.length > 0) return { errors, warnings: [] }
  throw new CommandError(`TypeScript ended with exit code ${code}: ${text.trim().slice(0, 500)}`)
}

function outputOf(
  program: string,
  args: string[],
  cwd: string,
  signal: AbortSignal,
): Promise<{ code: number | null; text: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, signal, stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
    }
    child.once('error', reject)
    child.once('close', code => resolve({ code, text }))
  })
}

/** `jobs/a.ts(3,7): error TS2322: …`, or without a place. */
function errorOf(line: string): ManifestError[] {
  const match = /^(?:(.+?)\((\d+),(\d+)\): )?error (TS\d+: .*)$/.exec(line)
  if (!match) return []
  const [, file, row, column, message = ''] = match
  return [
    {
      file: file ?? null,
      line: row === undefined ? null : Number(row),
      column: column === undefined ? null : Number(column),
      message,
    },
  ]
}
