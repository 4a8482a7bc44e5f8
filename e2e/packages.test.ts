import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { groups } from './packages.fixture.ts'

const docs = join(import.meta.dirname, '../docs')
const page = readFileSync(join(docs, 'packages.md'), 'utf8')
const rows = [...page.matchAll(/^\| (\S+) \| (\d\S*) \| .+ \| \[(\S+)\]\((\S+)\) \|$/gm)].map(
  ([, name, version, job, file]) => ({ name, version, job, file: file ?? '' }),
)

test('the table of packages in the docs names what the tests install, with the same versions', () => {
  const installed = groups.flatMap(({ dependencies }) =>
    Object.entries(dependencies).map(([name, version]) => `${name} ${version}`),
  )
  assert.deepEqual(
    rows.map(({ name, version }) => `${name} ${version}`).sort(),
    [...new Set(installed)].sort(),
  )
})

/** What people bring most often, or what breaks most easily. */
const promised = `
  knex pg better-sqlite3 mysql2 mongodb ioredis @prisma/client drizzle-orm sharp pdfkit exceljs pino winston axios got cheerio jsdom
  playwright-core @aws-sdk/client-s3 googleapis openai stripe nodemailer zod luxon csv-parse fast-xml-parser ssh2 archiver bull bree dotenv
`

test('the packages that people bring most often are in the table', () => {
  const names = new Set(rows.map(({ name }) => name))
  const missing = promised
    .trim()
    .split(/\s+/)
    .filter(name => !names.has(name))
  assert.deepEqual(missing, [])
})

test('each row of the table links to the file that calls the package', () => {
  for (const { name, job, file } of rows) {
    const path = join(docs, file)
    assert.ok(existsSync(path), `${file} of ${name}`)
    assert.ok(file.endsWith(`/${job}.ts`), file)
    const text = readFileSync(path, 'utf8')
    // The instance calls TypeScript, and the generated client calls Prisma.
    if (!['typescript', '@prisma/client'].includes(name ?? ''))
      assert.ok(text.includes(`'${name}`), `${file} calls ${name}`)
  }
})

test('every group has a test file, and every job of a group is registered by its manifest', () => {
  for (const { name, jobs } of groups) {
    const text = readFileSync(join(import.meta.dirname, `packages-${name}.test.ts`), 'utf8')
    assert.match(text, new RegExp(`testGroup\\(\\s*'${name}'`), name)
    assert.ok(jobs.length > 0, name)
  }
})

test('the pages for people who write jobs link to the table', () => {
  for (const file of ['docs/first-job.md', 'docs/jobs.md', 'docs/README.md', 'README.md']) {
    assert.match(readFileSync(join(docs, '..', file), 'utf8'), /\((docs\/)?packages\.md\)/, file)
  }
})
