import { type Idioms, manifest, module, tsconfig } from './repo.fixture.ts'

/** How a repo is laid out. */
export const ofRepos: Idioms = {
  'jobs found by readdir and import()': {
    'package.json': module,
    'manifest.ts': `import { jobRegistry } from 'longhouse/jobs'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
for (const name of readdirSync(join(import.meta.dirname, 'tasks')).sort()) {
  const { default: task } = await import('./tasks/' + name)
  jobRegistry.register(task)
}`,
    'tasks/a.ts': `const job: { id: string; cron: string; func: () => Promise<string> } = { id: 'job', cron: '@daily', func: async () => 'found' }
export default job`,
    'tasks/b.ts': `export default { id: 'other', cron: '@daily', func: async () => 'other' }`,
  },
  'a folder of a monorepo': {
    'package.json': '{ "name": "all", "private": true }',
    'tsconfig.json': tsconfig({ paths: { '@all/*': ['./libs/*/index.ts'], '~/*': ['./apps/jobs/src/*'] } }),
    'manifest.ts': manifest('./apps/jobs/src/job'),
    'apps/jobs/package.json': module,
    'apps/jobs/src/words.ts': 'export const words: string = import.meta.url.slice(-8)',
    'apps/jobs/src/job.ts': `import { shared } from '@all/shared'
import { words } from '~/words'
export async function run() { return [words, shared] }`,
    'libs/shared/package.json': '{ "type": "commonjs" }',
    'libs/shared/index.ts': "import { deep } from './inner/deep'\nexport const shared = deep",
    'libs/shared/inner/deep.ts': 'export const deep: string = typeof module',
  },
}

/** Packages that lie in the repo, which npm links without a registry. */
export const ownPackages: Record<string, Record<string, string>> = {
  'workspaces in TypeScript': {
    'package.json': `{ "type": "module", "workspaces": ["packages/*"], "dependencies": { "words": "*" } }`,
    'packages/words/package.json': `{ "name": "words", "version": "1.0.0", "type": "module", "exports": { ".": "./src/index.ts", "./loud": "./src/loud.ts" }, "dependencies": { "tool": "*" } }`,
    'packages/words/src/index.ts': "import { tool } from 'tool'\nexport const words: string = tool('words')",
    'packages/words/src/loud.ts':
      "import { words } from 'words'\nexport const loud = (): string => words.toUpperCase()",
    'packages/tool/package.json': `{ "name": "tool", "version": "1.0.0", "main": "index.js" }`,
    'packages/tool/index.js': "exports.tool = text => text + '!'",
    'jobs/job.ts': `import { words } from 'words'
import { loud } from 'words/loud'
export async function run() { return [words, loud()] }`,
  },
  'a package by file:, with a file beside its code': {
    'package.json': `{ "type": "module", "dependencies": { "own": "file:./packages/own" } }`,
    'packages/own/package.json': `{ "name": "own", "version": "1.0.0", "main": "./index.cjs" }`,
    'packages/own/index.cjs':
      "exports.read = () => require('fs').readFileSync(require('path').join(__dirname, 'words.txt'), 'utf8')",
    'packages/own/words.txt': 'beside',
    'jobs/job.ts': `import { read } from 'own'
import { createRequire } from 'node:module'
const name = ['o', 'wn'].join('')
export async function run() { return [read(), createRequire(import.meta.url)(name).read()] }`,
  },
}
