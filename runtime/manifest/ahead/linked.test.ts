import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { commandOf, registry, until } from '../../engine.fixture.ts'
import { volumeProcesses } from '../../process/process-tree.ts'
import { readManifest } from '../read-manifest.ts'
import { createReaders } from '../spare-reader.ts'

const job = (description: string) =>
  `jobRegistry.register({ id: 'job', cron: '@daily', description: String(${description}), func: () => 1 })\n`

/** Tells whether something has imported the module of Node's that the package `words` imports. */
const isLinked = "process.moduleLoadList.includes('NativeModule http2')"

const packages: Record<string, string> = {
  'words/package.json': '{ "name": "words", "type": "module", "exports": "./index.js" }',
  'words/index.js':
    "import 'node:http2'\nimport { hostname } from 'node:os'\nimport { deep } from 'deep'\nglobalThis.marked = true\nexport const words = [deep, hostname(), process.env.WORDS].join(' ')",
  'deep/package.json': '{ "name": "deep", "type": "module", "exports": "./index.js" }',
  'deep/index.js': "export const deep = 'deep'",
  'deep/other.js': "export const deep = 'other'",
}

/** Whether a process sleeps, and the processor time that it has taken. */
function stateOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return [fields[0] ?? '', ...fields.slice(11, 13)]
}

const first = 'a'.repeat(20)
const second = 'b'.repeat(20)

function volumeOf(t: TestContext) {
  const dir = temporaryFolder(t)
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(dir, file)), { recursive: true })
    writeFileSync(join(dir, file), text)
  }
  const inPackages = (file: string, text: string, name = first) =>
    write(`packages/${name}/node_modules/${file}`, text)
  const lead = (name: string) => {
    rmSync(join(dir, 'jobs/node_modules'), { force: true })
    symlinkSync(`../packages/${name}/node_modules`, join(dir, 'jobs/node_modules'))
  }
  for (const [file, text] of Object.entries(packages)) inPackages(file, text)
  write('jobs/package.json', '{ "type": "module" }')
  lead(first)
  mkdirSync(join(dir, 'builds'))
  const options = {
    jobsDir: join(dir, 'jobs'),
    buildsDir: join(dir, 'builds'),
    timezone: 'UTC',
    limitMs: 30_000,
    memoryMb: 384,
  }
  const readers = createReaders(options)
  t.after(() => readers.stop())
  const manifest = (code: string) => write('jobs/manifest.ts', registry + code)
  /** Has a reader wait until it has done all that it does ahead. */
  const waiting = async () => {
    let [last, calm] = ['', 0]
    await until(() => {
      readers.expect()
      const pid = volumeProcesses(dir).find(each => commandOf(each).includes('manifest-reader'))
      const [state, ...times] = pid === undefined ? ['none'] : stateOf(pid)
      calm = state === 'S' && last === `${pid} ${times}` ? calm + 1 : 0
      last = `${pid} ${times}`
      return calm > 20
    }, 'a reader waits, and has nothing left to do ahead')
  }
  const read = (pool?: typeof readers) => readManifest({ ...options, ...(pool && { readers: pool }) })
  return { dir, write, inPackages, lead, manifest, waiting, readers, read }
}

const before = `import { words } from 'words'\n${job(`words + ' ' + ${isLinked}`)}`

test('packages that the last reading imported are linked ahead of the next, and run when they are imported', async t => {
  const { manifest, waiting, readers, read } = volumeOf(t)
  manifest(
    `const linked = ${isLinked}\nconst { words } = await import('words')\n${job("[linked, words].join(' ')")}`,
  )
  const says = async (pool?: typeof readers) => {
    const found = await read(pool)
    assert.ok('jobs' in found, JSON.stringify(found))
    return found.jobs[0]?.description.split(' ').slice(0, 2)
  }
  assert.deepEqual(await says(readers), ['false', 'deep'])
  await until(async () => {
    await waiting()
    return (await says(readers))?.[0] === 'true'
  }, 'a reader has linked them')
  assert.deepEqual(await says(), ['false', 'deep'])
})

type Volume = ReturnType<typeof volumeOf>

/** What changes between two readings, and how the second begins to say what it found. */
const changes: Record<string, { change: (volume: Volume) => void; says: RegExp }> = {
  'a package that sets a global is no longer imported': {
    change: ({ manifest }) => manifest(job("'marked' in globalThis")),
    says: /^false$/,
  },
  'what needs the global fails without the package': {
    change: ({ manifest }) => manifest(job("'' + marked")),
    says: /^ReferenceError: marked is not defined/,
  },
  'a variable is set before the package is imported': {
    change: ({ manifest, write }) => {
      write('jobs/env.ts', "process.env.WORDS = 'set before'")
      manifest(`import './env'\n${before}`)
    },
    says: /^deep \S+ set before/,
  },
  'a file of a package is changed in its place': {
    change: ({ inPackages }) => inPackages('deep/index.js', "export const deep = 'DEEP'"),
    says: /^DEEP /,
  },
  'a file of a package is broken': {
    change: ({ inPackages }) => inPackages('deep/index.js', 'export const deep = '),
    says: /^SyntaxError: /,
  },
  'package.json of a package leads elsewhere': {
    change: ({ inPackages }) =>
      inPackages('deep/package.json', '{ "name": "deep", "type": "module", "exports": "./other.js" }'),
    says: /^other /,
  },
  'a package comes nearer': {
    change: ({ inPackages }) => {
      inPackages('words/node_modules/deep/package.json', '{ "type": "module", "exports": "./index.js" }')
      inPackages('words/node_modules/deep/index.js', "export const deep = 'near'")
    },
    says: /^near /,
  },
  'another installation': {
    change: ({ inPackages, lead }) => {
      for (const [file, text] of Object.entries(packages))
        inPackages(file, text.replace("deep = 'deep'", "deep = 'second'"), second)
      lead(second)
    },
    says: /^second /,
  },
  'hooks change how packages are loaded': {
    change: ({ manifest }) =>
      manifest(`import { registerHooks } from 'node:module'
registerHooks({ load: (url, context, next) => url.endsWith('/deep/index.js')
  ? { format: 'module', source: "export const deep = 'hooked'", shortCircuit: true } : next(url, context) })
const { words } = await import('words')
${job('words')}`),
    says: /^hooked /,
  },
  "a function of Node's is replaced before the package imports it": {
    change: ({ manifest }) =>
      manifest(`process.getBuiltinModule('node:os').hostname = () => 'replaced'
const { words } = await import('words')
${job('words')}`),
    says: /^deep replaced /,
  },
  "a function of Node's is replaced before the repo imports it": {
    change: ({ manifest, write }) => {
      write('jobs/host.ts', "import { hostname } from 'node:os'\nexport const host = hostname()")
      manifest(`process.getBuiltinModule('node:os').hostname = () => 'replaced'
const { host } = await import('./host')
${job('host')}`)
    },
    says: /^replaced$/,
  },
  'the manifest gives up reading before it imports the package': {
    change: ({ manifest, dir }) =>
      manifest(`process.permission.drop('fs.read', ${JSON.stringify(join(dir, 'packages'))})
const { words } = await import('words')
${job('words')}`),
    says: /ERR_ACCESS_DENIED|may not read|Cannot find package/,
  },
  'a package throws while it is loaded': {
    change: ({ inPackages }) =>
      inPackages('deep/index.js', "throw new Error('not today')\nexport const deep = 1"),
    says: /^manifest.ts:2 Error: not today/,
  },
  'the manifest throws after the package': {
    change: ({ manifest }) => manifest(`${before}throw new Error('after ' + words.slice(0, 4))`),
    says: /^manifest.ts:4 Error: after deep/,
  },
  'the manifest has a mistake': {
    change: ({ manifest }) => manifest(`${before}const = 1`),
    says: /^manifest.ts:4 /,
  },
  'a job has a mistake': {
    change: ({ manifest }) => manifest(`${before}${job("''").replace("'job'", "'Not an id'")}`),
    says: /^manifest.ts:4 /,
  },
  'the manifest ends its process': {
    change: ({ manifest }) =>
      manifest(
        `${before}process.kill(process.pid, 'SIGTERM')\nawait new Promise(() => setInterval(() => {}, 1000))`,
      ),
    says: /ended by SIGTERM/,
  },
}

for (const [name, { change, says }] of Object.entries(changes)) {
  test(`a reader that linked packages ahead says what a new one says: ${name}`, async t => {
    const volume = volumeOf(t)
    volume.manifest(before)
    const found = await volume.read(volume.readers)
    assert.ok('jobs' in found, JSON.stringify(found))
    await volume.waiting()
    change(volume)
    const [linked, fresh] = [await volume.read(volume.readers), await volume.read()]
    assert.deepEqual(linked, fresh)
    const [error] = 'errors' in linked ? linked.errors : []
    const said =
      'jobs' in linked ? linked.jobs[0]?.description : `${error?.file}:${error?.line} ${error?.message}`
    const place = says.source.startsWith('^manifest') || 'jobs' in linked
    assert.match((place ? said : error?.message) ?? '', says)
  })
}
