/** A file that is checked before it is saved. */
export interface DraftCase {
  /** More files of the repo, or others than usual. */
  before?: Record<string, string>
  file: string
  content: string
  /** The file and line of the first error; without it, the file loads. */
  refused?: string
}

export const filesBefore: Record<string, string> = {
  'package.json': '{ "type": "module" }',
  'manifest.ts': `import { jobRegistry } from 'longhouse/jobs'
import { run } from './jobs/job.ts'
jobRegistry.register({ id: 'job', cron: '@daily', func: run })
`,
  'jobs/job.ts': "import { word } from './word.js'\nexport const run = async () => word\n",
  'jobs/word.ts': "export const word: string = 'word'\n",
}

const job = (imports: string) => `${imports}\nexport const run = async () => 1\n`
const commonJs = { 'package.json': '{}' }

export const drafts: Record<string, DraftCase> = {
  'a change that compiles': { file: 'jobs/word.ts', content: "export const word = 'other'\n" },
  'a .ts file imported as .js': { file: 'jobs/job.ts', content: job("import './word.js'") },
  'a .ts file imported without an ending': { file: 'jobs/job.ts', content: job("import './word'") },
  'a new .mts file imported as .mjs': {
    before: { 'jobs/job.ts': job("void import('./' + 'later.mjs').catch(() => {})") },
    file: 'jobs/later.mts',
    content: 'export const later: number = 1\n',
  },
  'a .tsx file imported as .jsx': {
    before: { 'jobs/page.tsx': 'export const page: string = "page"\n' },
    file: 'jobs/job.ts',
    content: job("import { page } from './page.jsx'\nvoid page"),
  },
  'a folder with an index.ts': {
    before: { 'lib/index.ts': 'export const lib: number = 1\n' },
    file: 'jobs/job.ts',
    content: job("import { lib } from '../lib'\nvoid lib"),
  },
  'a .js file that is not there': {
    file: 'jobs/job.ts',
    content: job("import './gone.js'"),
    refused: 'jobs/job.ts:1',
  },
  'a file whose name has other capitals': {
    file: 'jobs/job.ts',
    content: job("import './Word.ts'"),
    refused: 'jobs/job.ts:1',
  },
  'a type from a file that is not there': {
    file: 'jobs/job.ts',
    content: job("import type { Gone } from './gone'\nexport type Mine = Gone"),
  },
  'a name that the file does not export': {
    file: 'jobs/job.ts',
    content: job("import { gone } from './word.js'\nvoid gone"),
    refused: 'jobs/job.ts:1',
  },
  'an export from a file that is not there': {
    file: 'jobs/job.ts',
    content: job("export * from './gone.ts'"),
    refused: 'jobs/job.ts:1',
  },
  'a name that others import is no longer exported': {
    file: 'jobs/word.ts',
    content: 'export const other = 1\n',
    refused: 'jobs/job.ts:1',
  },
  'a package that is not there': {
    file: 'jobs/job.ts',
    content: job("import 'left-out'"),
    refused: 'jobs/job.ts:1',
  },
  'a computed import that fails at the start': {
    file: 'jobs/job.ts',
    content: job("const name = './gone.ts'\nawait import(name)"),
    refused: 'jobs/job.ts:2',
  },
  'a require of a file that is not there': {
    before: commonJs,
    file: 'jobs/job.ts',
    content: job("const gone = require('./gone')\nvoid gone"),
    refused: 'jobs/job.ts:1',
  },
  'a default import of a module in a package that does not say what it is': {
    before: { ...commonJs, 'jobs/job.ts': 'export const run = async () => 1\nexport default run\n' },
    file: 'manifest.ts',
    content:
      "import { jobRegistry } from 'longhouse/jobs'\nimport job from './jobs/job'\njobRegistry.register({ id: 'job', cron: '@daily', func: job })\n",
  },
  'text that does not parse': {
    file: 'jobs/job.ts',
    content: 'export const run = async () => {\n',
    refused: 'jobs/job.ts:2',
  },
  'text that does not parse, in a file that nothing imports': {
    file: 'jobs/unused.ts',
    content: 'export const = 1\n',
  },
  'a new file that nothing imports': { file: 'jobs/unused.ts', content: 'export const a: number = 1\n' },
  'marks of a merge': {
    file: 'jobs/word.ts',
    content: '<<<<<<< here\nexport const word = 1\n=======\n>>>>>>> there\n',
    refused: 'jobs/word.ts:1',
  },
  'an enum, a namespace and a parameter property': {
    file: 'jobs/word.ts',
    content:
      "enum A { B = 'b' }\nnamespace N { export const c = 1 }\nclass D { constructor(private e: number) {} }\nexport const word = [A.B, N.c, D]\n",
  },
  'a decorator with metadata and without TypeScript': {
    before: {
      'tsconfig.json':
        '{ "compilerOptions": { "experimentalDecorators": true, "emitDecoratorMetadata": true } }',
    },
    file: 'jobs/word.ts',
    content:
      'const mark = (..._: unknown[]) => {}\nclass A { @mark b: string = "" }\nexport const word = A\n',
  },
  'an error that is thrown at the start': {
    file: 'jobs/word.ts',
    content:
      "const start = (): string => {\n  throw new TypeError('no start', { cause: new Error('no file') })\n}\nexport const word = start()\n",
    refused: 'jobs/word.ts:2',
  },
  'an exit at the start': {
    file: 'jobs/word.ts',
    content: 'process.exit(3)\nexport const word = 1\n',
    refused: 'jobs/word.ts:1',
  },
  'a wait that never ends': {
    file: 'jobs/word.ts',
    content: 'await new Promise(() => {})\nexport const word = 1\n',
    refused: 'manifest.ts',
  },
  'JSON with a comma too many': {
    before: {
      'jobs/word.json': '{ "a": 1 }',
      'jobs/word.ts': "import words from './word.json' with { type: 'json' }\nexport const word = words.a\n",
    },
    file: 'jobs/word.json',
    content: '{\n  "a": 1,\n}',
    refused: 'jobs/word.json:1',
  },
  'a new text file': { file: 'jobs/new.txt', content: 'new\n' },
  'a text file that is imported': {
    before: {
      'jobs/text.txt': 'old',
      'jobs/word.ts':
        "import text from './text.txt' with { type: 'text' }\nif (text === 'bad') throw new Error('bad text')\nexport const word = text\n",
    },
    file: 'jobs/text.txt',
    content: 'bad',
    refused: 'jobs/word.ts:2',
  },
  'a file that the manifest reads': {
    before: {
      'jobs.json': '[]',
      'jobs/word.ts':
        "import { readFileSync } from 'node:fs'\nexport const word = JSON.parse(readFileSync(import.meta.dirname + '/../jobs.json', 'utf8'))\n",
    },
    file: 'jobs.json',
    content: '[',
    refused: 'jobs/word.ts:2',
  },
  'paths in tsconfig.json that lead nowhere': {
    before: {
      'tsconfig.json': '{ "compilerOptions": { "paths": { "@/*": ["./jobs/*"] } } }',
      'jobs/job.ts': job("import { word } from '@/word'\nvoid word"),
    },
    file: 'tsconfig.json',
    content: '{ "compilerOptions": { "paths": { "@/*": ["./gone/*"] } } }',
    refused: 'jobs/job.ts:1',
  },
  'a tsconfig.json that extends a file outside': {
    file: 'tsconfig.json',
    content: '{\n  "extends": "../outside.json"\n}',
    refused: 'tsconfig.json:2',
  },
  'a tsconfig.json that does not parse': {
    file: 'tsconfig.json',
    content: '{ "compilerOptions": {',
    refused: 'tsconfig.json:1',
  },
  'a package.json that makes the files CommonJS': {
    before: {
      'jobs/old.js': "module.exports = { old: 'old' }\n",
      'jobs/word.ts': "import { old } from './old.js'\nexport const word = old\n",
    },
    file: 'package.json',
    content: '{ "type": "commonjs" }',
  },
  'a package.json that does not parse': {
    file: 'package.json',
    content: '{ "type": "module"',
    refused: 'package.json:1',
  },
  'a job with mistakes': {
    file: 'manifest.ts',
    content:
      "import { jobRegistry } from 'longhouse/jobs'\njobRegistry.register({ id: 'job', cron: '61 * * * *', func: 1 as never })\n",
    refused: 'manifest.ts:2',
  },
  'an import from above the repo': {
    file: 'jobs/job.ts',
    content: job("import '../../outside.ts'"),
    refused: 'jobs/job.ts:1',
  },
}
