import { spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryFolder } from './folder.ts'

export interface GitAnswer {
  code: number | null
  /** What git wrote, both streams. */
  text: string
}

/** A person's git, and their clones. */
export interface GitClient {
  /** Runs git in a clone, or in their home for ''. */
  git(clone: string, ...args: string[]): Promise<GitAnswer>
  /** Runs a git that has to succeed. Returns what it wrote. */
  done(clone: string, ...args: string[]): Promise<string>
  path(...parts: string[]): string
  /** Changes files of a clone, and commits them. Returns the commit. */
  commit(clone: string, files: Record<string, string | Buffer | null>, message?: string): Promise<string>
  push(clone: string, ...args: string[]): Promise<GitAnswer>
}

export function gitClient(t: TestContext): GitClient {
  const home = temporaryFolder(t)
  const path = (...parts: string[]) => join(home, ...parts)
  const git = (clone: string, ...args: string[]) =>
    new Promise<GitAnswer>((resolve, reject) => {
      const child = spawn('git', ['-c', 'protocol.file.allow=always', ...args], {
        cwd: path(clone),
        env: {
          PATH: process.env.PATH,
          HOME: home,
          GIT_CONFIG_NOSYSTEM: '1',
          GIT_TERMINAL_PROMPT: '0',
          GIT_AUTHOR_NAME: 'Bob',
          GIT_AUTHOR_EMAIL: 'bob@example.com',
          GIT_COMMITTER_NAME: 'Bob',
          GIT_COMMITTER_EMAIL: 'bob@example.com',
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let text = ''
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (piece: string) => {
          text += piece
        })
      }
      child.once('error', reject)
      child.once('close', code => resolve({ code, text }))
    })
  const done = async (clone: string, ...args: string[]) => {
    const { code, text } = await git(clone, ...args)
    if (code !== 0) throw new Error(`git ${args.join(' ')} failed: ${text}`)
    return text.trim()
  }
  return {
    git,
    done,
    path,
    commit: async (clone, files, message = 'Change') => {
      for (const [file, content] of Object.entries(files)) {
        const place = path(clone, file)
        if (content === null) rmSync(place, { recursive: true })
        else {
          mkdirSync(dirname(place), { recursive: true })
          writeFileSync(place, content)
        }
      }
      await done(clone, 'add', '--all', '--force')
      await done(clone, 'commit', '--quiet', '--allow-empty', '--message', message)
      return done(clone, 'rev-parse', 'HEAD')
    },
    push: (clone, ...args) => git(clone, 'push', 'origin', ...(args.length > 0 ? args : ['HEAD:main'])),
  }
}
