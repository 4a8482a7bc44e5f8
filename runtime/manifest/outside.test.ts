import assert from 'node:assert/strict'
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { oneJob } from '../engine.fixture.ts'
import { readManifest } from './read-manifest.ts'

const ok = oneJob('() => 1')
const secret = 'sEcReT'
/** Broken in whatever it is read as, so that a compiler's error would tell how it begins. */
const content = `${secret} (( "more"`
/** Content of a file that any user of this machine may read. */
const system = '/etc/passwd'

interface Volume {
  write(file: string, content: string): void
  link(file: string, target: string): void
}

/** What a repo may hold that leads the compiler out of it, and how that is refused. */
const ways: Record<string, [make: (volume: Volume) => void, words: RegExp]> = {
  'tsconfig extends a file beside the repo': [
    ({ write }) => write('jobs/tsconfig.json', '{\n  // ours\n  "extends": "../secret.key"\n}'),
    /^tsconfig.json:3 extends "..\/secret.key", which lies outside the jobs repo/,
  ],
  'tsconfig extends an absolute path': [
    ({ write }) => write('jobs/tsconfig.json', `{ "extends": "${system}" }`),
    /^tsconfig.json:1 extends "\/etc\/passwd", which lies outside/,
  ],
  'tsconfig extends one of a list': [
    ({ write }) => {
      write('jobs/base.json', '{}')
      write('jobs/tsconfig.json', `{ "extends": ["./base.json", "${system}"] }`)
    },
    /^tsconfig.json:1 extends "\/etc\/passwd", which lies outside/,
  ],
  'tsconfig extends, over one in the repo': [
    ({ write }) => {
      write('jobs/tsconfig.json', '{ "extends": "./base" }')
      write('jobs/base.json', '{ "extends": "../secret.key" }')
    },
    /^base.json:1 extends "..\/secret.key", which lies outside/,
  ],
  'tsconfig extends, through a name with an escape': [
    ({ write }) => write('jobs/tsconfig.json', String.raw`{ "\u0065xtends": "/etc/passwd" }`),
    /leads to \/etc\/passwd, which lies outside/,
  ],
  'tsconfig extends, through a package': [
    ({ write }) => write('jobs/tsconfig.json', '{ "extends": "x/../../../secret.key" }'),
    /^tsconfig.json:1 extends "x\/..\/..\/..\/secret.key", which lies outside/,
  ],
  'tsconfig extends a link': [
    ({ write, link }) => {
      link('jobs/base.json', system)
      write('jobs/tsconfig.json', '{ "extends": "./base.json" }')
    },
    /^tsconfig.json:1 extends ".\/base.json", which lies outside/,
  ],
  'tsconfig is a link': [
    ({ link }) => link('jobs/tsconfig.json', system),
    /^tsconfig.json:null is a link out/,
  ],
  'tsconfig of a folder': [
    ({ write }) => {
      write('jobs/lib/tsconfig.json', '{ "extends": "../../secret.key" }')
      write('jobs/lib/x.ts', 'export const x = 1')
      write('jobs/manifest.ts', `import './lib/x'\n${ok}`)
    },
    /^(lib\/)?tsconfig.json:1 extends|lies outside/,
  ],
  'package.json is a link': [
    ({ write, link }) => {
      link('jobs/lib/package.json', system)
      write('jobs/lib/x.ts', 'export const x = 1')
      write('jobs/manifest.ts', `import './lib/x'\n${ok}`)
    },
    /^lib\/package.json:null is a link out/,
  ],
  'an import': [
    ({ write }) => write('jobs/manifest.ts', `import '../secret.js'\n${ok}`),
    /^manifest.ts:1 imports "..\/secret.js", which lies outside the jobs repo/,
  ],
  'an import as JSON': [
    ({ write }) =>
      write('jobs/manifest.ts', `import s from '${system}' with { type: 'json' }\nconsole.log(s)\n${ok}`),
    /imports "\/etc\/passwd", which lies outside/,
  ],
  'an import as text': [
    ({ write }) =>
      write('jobs/manifest.ts', `import s from '${system}' with { type: 'text' }\nconsole.log(s)\n${ok}`),
    /imports "\/etc\/passwd", which lies outside/,
  ],
  'an imported link': [
    ({ write, link }) => {
      link('jobs/k.ts', '../secret.js')
      write('jobs/manifest.ts', `import './k'\n${ok}`)
    },
    /^manifest.ts:1 .* leads to .*secret.js, which lies outside/,
  ],
  'the manifest is a link': [
    ({ link }) => link('jobs/manifest.ts', '../secret.js'),
    /^manifest.ts:null is a link out/,
  ],
  'fields of a package.json': [
    ({ write }) => {
      write('jobs/node_modules/p/package.json', '{ "name": "p", "main": "../../../secret.js" }')
      write('jobs/manifest.ts', `import 'p'\n${ok}`)
    },
    /jobs may not read .*secret\.js/,
  ],
  'paths of a tsconfig': [
    ({ write }) => {
      write('jobs/tsconfig.json', '{ "compilerOptions": { "paths": { "p": ["../secret.js"] } } }')
      write('jobs/manifest.ts', `import 'p'\n${ok}`)
    },
    /cannot find the package "p"|lies outside/,
  ],
  'a source map': [
    ({ write }) => {
      write('jobs/x.js', `export const x = 1\n//# sourceMappingURL=${system}\n`)
      write('jobs/manifest.ts', `import { x } from './x.js'\nconsole.log(x)\n${ok}`)
    },
    /leads to \/etc\/passwd, which lies outside/,
  ],
  'a style': [
    ({ write }) => {
      write('jobs/x.css', '@import "../secret.css";')
      write('jobs/manifest.ts', `import './x.css'\n${ok}`)
    },
    /Unknown file extension "\.css"/,
  ],
}

for (const [name, [make, words]] of Object.entries(ways)) {
  test(`the compiler reveals nothing of a file outside the repo: ${name}`, async t => {
    const dir = realpathSync(temporaryFolder(t))
    const write = (file: string, text: string) => {
      mkdirSync(dirname(join(dir, file)), { recursive: true })
      writeFileSync(join(dir, file), text)
    }
    for (const file of ['secret.key', 'secret.js', 'secret.css']) write(file, content)
    mkdirSync(join(dir, 'builds'))
    if (!name.startsWith('the manifest')) write('jobs/manifest.ts', ok)
    make({
      write,
      link: (file, target) => {
        mkdirSync(dirname(join(dir, file)), { recursive: true })
        symlinkSync(target, join(dir, file))
      },
    })
    const limits = { timezone: 'UTC', limitMs: 60_000, memoryMb: 256 }
    const read = await readManifest({ jobsDir: join(dir, 'jobs'), buildsDir: join(dir, 'builds'), ...limits })
    assert.ok('errors' in read, 'it was taken')
    const told = read.errors.map(({ file, line, message }) => `${file}:${line} ${message}`)
    assert.match(told[0] ?? '', words)
    assert.doesNotMatch(told.join('\n'), new RegExp(`${secret}|\\broot\\b`))
  })
}
