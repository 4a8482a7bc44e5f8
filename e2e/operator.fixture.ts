import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Said, start } from '../cli/command.fixture.ts'
import { temporaryFolder } from '../src/testing/folder.ts'

export interface Operator {
  dir: string
  env: Record<string, string>
  /** Runs a command, with a text on its standard input. */
  say(args: readonly string[], input?: string): Promise<Said>
}

/** An operator with a folder of their own, and what is in their environment. */
export function operator(t: TestContext, more: Record<string, string> = {}): Operator {
  const dir = temporaryFolder(t)
  const env = { XDG_CONFIG_HOME: join(dir, 'config'), ...more }
  return {
    dir,
    env,
    say: (args, input = '') => {
      const command = start(t, dir, args, env)
      command.process.stdin?.end(input)
      return command.ended
    },
  }
}
