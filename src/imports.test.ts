import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { plugins as controlPlane } from '../control-plane/program.ts'
import { site } from '../plugins/site/index.ts'
import { plugins as runtime } from '../runtime/program.ts'
import { volumePlugin } from '../runtime/volume/index.ts'
import { bootOrder } from './kernel/boot-order.ts'
import type { Plugin } from './kernel/plugin.ts'
import { type Import, isFixture, isTest, readSources } from './sources.fixture.ts'

const root = join(import.meta.dirname, '..')
const rooms = ['src', 'sdk', 'views', 'plugins', 'control-plane', 'runtime', 'cli'] as const
type Room = (typeof rooms)[number]

/** What each room may import from, beside itself. */
const allowed: Record<Room, readonly string[]> = {
  src: [],
  sdk: [],
  views: [],
  plugins: ['src', 'views'],
  'control-plane': ['src', 'views', 'plugins'],
  runtime: ['src', 'views', 'sdk'],
  cli: ['src', 'views', 'runtime'],
}

/** What the features of the runtime stand on: they know no feature. */
const sharedRooms = [
  'copy',
  'cron',
  'git',
  'isolation',
  'manifest',
  'modules',
  'params',
  'process',
  'runner',
  'web',
]

/** Except for these types: the excerpts of a manifest's source stand beside its errors on several pages. */
const sharedKnowTypes = ['runtime/web/manifest-excerpts.ts → runtime/jobs/contract.ts']

/** What the command line uses of the runtime: it reads a manifest and runs a job as an instance does. */
const usedByCli = [
  'runtime/cron/cron.ts',
  'runtime/git/sdk-address.ts',
  'runtime/manifest/manifest-error.ts',
  'runtime/manifest/manifest.ts',
  'runtime/manifest/offered-sdk.ts',
  'runtime/manifest/read-manifest.ts',
  'runtime/packages/files/wanted.ts',
  'runtime/params/check.ts',
  'runtime/params/json-schema.ts',
  'runtime/params/params.ts',
  'runtime/process/memory.ts',
  'runtime/runner/job-state.ts',
  'runtime/runner/log-line.ts',
  'runtime/runner/masked-end.ts',
  'runtime/runner/run-process.ts',
  'runtime/runner/spare-runner.ts',
  'runtime/runner/state-limits.ts',
]

/** What fixtures of plugins use of the program: they boot it. */
const usedToBoot = ['control-plane/boot.fixture.ts', 'control-plane/boot.ts', 'control-plane/web.tsx']

interface Arrow extends Import {
  from: string
  to: string
}

const sources = readSources(root)
const everyArrow = sources.flatMap(({ file, imports }) =>
  imports.flatMap((each): Arrow[] =>
    each.specifier !== null && /^\.{1,2}(\/|$)/.test(each.specifier)
      ? [{ ...each, from: file, to: join(dirname(file), each.specifier) }]
      : [],
  ),
)

const roomOf = (file: string) => file.split('/')[0] ?? ''
const inRooms = (file: string) => rooms.includes(roomOf(file) as Room)
const isProduct = (file: string) => inRooms(file) && !isTest(file) && !isFixture(file)
const product = sources.filter(({ file }) => isProduct(file))
const arrows = everyArrow.filter(({ from }) => isProduct(from))
/** Tests may import whatever they ask about; the fixtures that several of them share may not. */
const ofFixtures = everyArrow.filter(({ from }) => inRooms(from) && isFixture(from))

const inWords = (wrong: readonly Pick<Arrow, 'from' | 'to'>[]) => [
  ...new Set(wrong.map(({ from, to }) => `${from} → ${to}`)),
]

const programs = [
  { folder: 'plugins', plugins: [site, ...controlPlane] },
  { folder: 'runtime', plugins: [volumePlugin(notOpen), ...runtime] },
] satisfies { folder: Room; plugins: readonly Plugin[] }[]

/** Of every plugin, by its folder: the folders of its needs. */
const needsOf: ReadonlyMap<string, readonly string[]> = new Map(
  programs.flatMap(({ folder, plugins }) =>
    plugins.map(({ name, needs }) => [`${folder}/${name}`, needs.map(need => `${folder}/${need}`)] as const),
  ),
)

function notOpen(): never {
  throw new Error('no volume is opened here')
}

/** The folder of the plugin that a file belongs to. */
function featureOf(file: string): string | null {
  const folder = file.split('/').slice(0, 2).join('/')
  return needsOf.has(folder) ? folder : null
}

/** Arrows from one plugin into another. */
const across = (some: readonly Arrow[]) =>
  some.filter(({ from, to }) => featureOf(from) && featureOf(to) && featureOf(from) !== featureOf(to))

test('imports are found at all, can be read, and lead to files', () => {
  assert.ok(arrows.length > 2500, `only ${arrows.length} imports found`)
  const known = new Set(
    globSync(
      rooms.map(room => `${room}/**/*`),
      { cwd: root },
    ),
  )
  assert.deepEqual(inWords(arrows.filter(({ to }) => !known.has(to))), [])
  const computed = product.filter(({ imports }) => imports.some(({ specifier }) => specifier === null))
  assert.deepEqual(
    computed.map(({ file }) => file),
    // They load the customer's code, packages or npm, in processes of their own.
    [
      'runtime/manifest/manifest-reader.ts',
      'runtime/manifest/ahead/linked.ts',
      'runtime/packages/npm/program.ts',
      'runtime/runner/runner.ts',
    ],
  )
})

test('imports point one way: program → features → views, src', () => {
  const isForbidden = ({ from, to, typeOnly }: Arrow) => {
    const room = roomOf(from) as Room
    // Pages show the types that a feature offers its neighbours.
    if (room === 'views' && typeOnly && featureOf(to) && to.endsWith('/contract.ts')) return false
    if (isFixture(from) && room === 'plugins' && usedToBoot.includes(to)) return false
    return roomOf(to) !== room && !allowed[room].includes(roomOf(to))
  }
  assert.deepEqual(inWords([...arrows, ...ofFixtures].filter(isForbidden)), [])
})

test('nothing but tests and fixtures imports a fixture, and nothing a test', () => {
  const isForTests = (file: string) => isTest(file) || isFixture(file)
  assert.deepEqual(inWords(arrows.filter(({ to }) => isForTests(to))), [])
  assert.deepEqual(inWords(everyArrow.filter(({ to }) => isTest(to))), [])
})

test('every folder with an index.ts is a plugin in the list of its program, or a room that plugins share', () => {
  const folders = (pattern: string) => globSync(pattern, { cwd: root }).map(dirname)
  const withIndex = folders('{plugins,runtime}/*/index.ts')
  assert.deepEqual(withIndex.sort(), [...needsOf.keys()].sort())
  const others = new Set(
    product
      .map(({ file }) => file.split('/'))
      .filter(([room, , name]) => (room === 'runtime' || room === 'plugins') && name !== undefined)
      .map(([room, folder]) => `${room}/${folder}`),
  ).difference(needsOf)
  assert.deepEqual([...others].sort(), sharedRooms.map(room => `runtime/${room}`).sort())
})

test('plugins know each other only through contract.ts', () => {
  assert.deepEqual(inWords(across(arrows).filter(({ to }) => !to.endsWith('/contract.ts'))), [])
  // Fixtures also build on each other, and put plugins into a program.
  const wrong = across(ofFixtures).filter(
    ({ to, typeOnly }) => !typeOnly && !/\/(contract|index)\.ts$/.test(to) && !isFixture(to),
  )
  assert.deepEqual(inWords(wrong), [])
})

test('a plugin imports the contracts of what it needs, and no other', () => {
  for (const { plugins } of programs) assert.deepEqual(bootOrder(plugins).faults, [], 'no circle of needs')
  const imported = new Map(
    [...Map.groupBy(across(arrows), ({ from }) => featureOf(from) ?? '')].map(([feature, some]) => [
      feature,
      new Set(some.map(({ to }) => featureOf(to) ?? '')),
    ]),
  )
  for (const [feature, needs] of needsOf) {
    assert.deepEqual([...(imported.get(feature) ?? [])].sort(), [...needs].sort(), feature)
  }
})

test('programs know plugins only through index.ts and contract.ts', () => {
  const isProgram = (file: string) =>
    ['control-plane', 'cli'].includes(roomOf(file)) || /^runtime\/[^/]+$/.test(file)
  const wrong = arrows.filter(
    ({ from, to }) =>
      isProgram(from) &&
      featureOf(to) &&
      !/\/(contract|index)\.ts$/.test(to) &&
      !(roomOf(from) === 'cli' && usedByCli.includes(to)),
  )
  assert.deepEqual(inWords(wrong), [])
})

test('the command line uses the modules of the runtime that are named here', () => {
  const used = arrows.filter(({ from, to }) => roomOf(from) === 'cli' && roomOf(to) === 'runtime')
  assert.deepEqual([...new Set(used.map(({ to }) => to))].sort(), usedByCli)
})

test('what features of the runtime share knows no feature, and nothing in a folder knows the program', () => {
  const inFolders = arrows.filter(({ from }) => /^runtime\/[^/]+\//.test(from))
  assert.deepEqual(inWords(inFolders.filter(({ to }) => /^runtime\/[^/]+$/.test(to))), [])
  const known = inFolders.filter(({ from, to }) => !featureOf(from) && featureOf(to))
  assert.deepEqual(inWords(known.filter(({ typeOnly }) => !typeOnly)), [])
  assert.deepEqual(inWords(known).sort(), sharedKnowTypes)
})

test('a contract holds what it offers: of its own files, it passes on only types and shapes of answers', () => {
  const isInside = ({ from, to }: Arrow) => to.startsWith(`${dirname(from)}/`)
  const isShape = (file: string) => /[/-]wire\.ts$/.test(file)
  const implementation = arrows.filter(
    arrow => arrow.from.endsWith('/contract.ts') && !arrow.typeOnly && isInside(arrow) && !isShape(arrow.to),
  )
  assert.deepEqual(inWords(implementation), [])
})

test('a file imports from twenty others at most', () => {
  const wide = product.filter(({ imports }) => new Set(imports.map(({ specifier }) => specifier)).size > 20)
  assert.deepEqual(
    wide.map(({ file }) => file),
    [],
  )
})

test('views take props: no database, no network, no configuration, no file', () => {
  const outside = ['process', 'fetch', 'globalThis', 'global', 'WebSocket', 'EventSource', 'eval', 'Function']
  const wrong = product
    .filter(({ file }) => roomOf(file) === 'views')
    .flatMap(({ file, imports, names }) => [
      ...imports
        .filter(
          ({ specifier }) =>
            specifier === null || !/^\.|^hono\/(jsx|html|jsx-renderer)(\/|$)/.test(specifier),
        )
        .map(({ specifier }) => `${file} imports ${specifier ?? 'what is computed'}`),
      ...outside.filter(name => names.has(name)).map(name => `${file} uses ${name}`),
    ])
  assert.deepEqual(wrong, [])
})

test('no room imports from e2e: fixtures that several rooms use stand in src/testing', () => {
  const wrong = everyArrow.filter(({ from, to }) => inRooms(from) && roomOf(to) === 'e2e')
  assert.deepEqual(inWords(wrong), [])
})

/** A plugin's folder with folders in it: `plugins/billing`, `runtime/jobs`. */
const folderWithFolders = (file: string) => /^(?:plugins|runtime)\/[^/]+(?=\/[^/]+$)/.exec(file)?.[0]

/** The files at the root of a plugin that put its folders together; what else stands there is what the folders share. */
const above = new Set<string>()
for (let size = -1; size !== above.size; ) {
  size = above.size
  for (const { from, to } of arrows) {
    const feature = folderWithFolders(from)
    if (feature === undefined || !to.startsWith(`${feature}/`)) continue
    if (dirname(to) !== feature || above.has(to)) above.add(from)
  }
}

/** The folder of a file. The root of a plugin counts as two: one above its folders, and one below them. */
const folderOf = (file: string) => (above.has(file) ? `${dirname(file)} (above)` : dirname(file))

test('folders do not import each other, not even types', () => {
  const between = arrows
    .map(({ from, to }) => ({ from: folderOf(from), to: folderOf(to), by: `${from} → ${to}` }))
    .filter(({ from, to }) => from !== to)
  for (const [from, to] of [
    ['plugins/billing (above)', 'plugins/billing/checkout'],
    ['runtime/jobs (above)', 'runtime/jobs/slots'],
    ['runtime/jobs/slots', 'runtime/jobs'],
  ]) {
    assert.ok(
      between.some(arrow => arrow.from === from && arrow.to === to),
      `${from} does not import ${to}`,
    )
  }
  // A neighbour's contract is no step: neighbours are in the order of their needs.
  const steps = between.filter(({ by }) => !by.endsWith('/contract.ts'))
  const pairs = steps.filter(({ from, to }) => steps.some(back => back.from === to && back.to === from))
  assert.deepEqual(
    pairs.map(({ by }) => by),
    [],
    'two folders import each other',
  )
  assert.deepEqual(circlesOf(steps), [], 'folders import each other in a circle')
})

test('no folder holds more than twenty files, tests and fixtures not counted', () => {
  const sizes = Map.groupBy(product, ({ file }) => dirname(file))
  assert.deepEqual(
    [...sizes].filter(([, inside]) => inside.length > 20).map(([folder]) => folder),
    [],
  )
})

test('no circle of imports exists, types counted', () => {
  assert.deepEqual(circlesOf(everyArrow), [])
})

test('a value that a file exports is used by another one', () => {
  const taken = new Set(everyArrow.flatMap(arrow => arrow.taken.map(name => `${arrow.to}: ${name}`)))
  const unused = sources
    .filter(({ file }) => inRooms(file) && !isTest(file) && !file.endsWith('.d.ts'))
    .flatMap(({ file, exports }) => exports.map(name => ({ file, name })))
    .filter(({ file, name }) => !taken.has(`${file}: ${name}`) && !taken.has(`${file}: *`))
  assert.deepEqual(
    unused.map(({ file, name }) => `${file} exports ${name}`),
    [],
  )
})

/** The circles in a graph, each as a path that ends where it began. */
function circlesOf(edges: readonly { from: string; to: string }[]): string[] {
  const next = Map.groupBy(edges, ({ from }) => from)
  const circles: string[] = []
  const done = new Set<string>()
  const walk = (node: string, path: readonly string[]) => {
    const start = path.indexOf(node)
    if (start >= 0) {
      circles.push([...path.slice(start), node].join(' → '))
      return
    }
    if (done.has(node)) return
    for (const { to } of next.get(node) ?? []) walk(to, [...path, node])
    done.add(node)
  }
  for (const node of next.keys()) walk(node, [])
  return circles
}
