import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { z } from 'zod'
import { engine, skipReason } from './testbed.fixture.ts'

const image = process.env.LONGHOUSE_TEST_IMAGE ?? 'longhouse-runtime:local'

const billSchema = z.object({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.literal('1.6'),
  metadata: z.object({ component: z.object({ type: z.literal('container'), name: z.string() }) }),
  components: z.array(
    z.object({
      type: z.enum(['library', 'platform']),
      'bom-ref': z.string(),
      name: z.string().min(1),
      version: z.string().min(1),
      purl: z.string().regex(/^pkg:(deb|npm|generic)\/\S+@\S+$/),
      evidence: z
        .object({ occurrences: z.tuple([z.object({ location: z.string().startsWith('/') })]) })
        .optional(),
    }),
  ),
})

suite('the image of instances', { skip: await skipReason() }, () => {
  const run = async (...command: string[]): Promise<string> => {
    const docker = engine()
    const container = await docker.createContainer({
      Image: image,
      User: '0',
      Entrypoint: command,
      Cmd: [],
      HostConfig: { NetworkMode: 'none' },
      Tty: true,
    })
    try {
      await container.start()
      await container.wait()
      // The client parses whatever looks like JSON.
      const log: unknown = await container.logs({ stdout: true, stderr: true })
      return Buffer.isBuffer(log) ? log.toString() : JSON.stringify(log)
    } finally {
      await container.remove({ force: true })
    }
  }

  test('holds no setuid program and no package manager', async () => {
    const odd = await run('bash', '-c', 'find / -xdev -perm /6000; type -P apt apt-get dpkg perl; echo end')
    assert.equal(odd.trim(), 'end')
    const still = await run('bash', '-c', 'type -P bash node find; ls -d /lib /bin /usr/lib')
    for (const there of ['/usr/local/bin/node', 'bash', 'find', '/lib'])
      assert.ok(still.includes(there), still)
  })

  test('has its bill of materials: the base, Node and what it is built of, and the npm packages', async () => {
    const bill = billSchema.parse(JSON.parse(await run('cat', '/app/sbom.cdx.json')))
    assert.equal(bill.metadata.component.name, 'longhouse-runtime')
    const refs = bill.components.map(each => each['bom-ref'])
    assert.equal(new Set(refs).size, refs.length)
    for (const wanted of [
      /^pkg:deb\/debian\/libc6@/,
      /^pkg:generic\/node@26\./,
      /^pkg:generic\/openssl@/,
      /^pkg:npm\/hono@4\./,
      /^pkg:npm\/npm@/,
      /^pkg:npm\/better-sqlite3@13\./,
      /^pkg:npm\/%40esbuild\/linux-/,
    ])
      assert.ok(
        bill.components.some(({ purl }) => wanted.test(purl)),
        String(wanted),
      )
  })

  test('lists the Debian packages of which something is in it, and no other', async () => {
    const bill = billSchema.parse(JSON.parse(await run('cat', '/app/sbom.cdx.json')))
    const debian = bill.components.filter(({ purl }) => purl.startsWith('pkg:deb/'))
    for (const kept of ['bash', 'coreutils', 'libc6', 'tzdata', 'ca-certificates'])
      assert.ok(
        debian.some(({ name }) => name === kept),
        kept,
      )
    const gone = /^(apt|libapt-.*|dpkg|perl.*|libperl.*|debconf|adduser|gpgv|debian-archive-keyring)$/
    assert.deepEqual(
      debian.map(({ name }) => name).filter(name => gone.test(name)),
      [],
    )
    const files = bill.components.flatMap(({ evidence }) =>
      (evidence?.occurrences ?? []).map(each => each.location),
    )
    assert.ok(files.length >= debian.length)
    const missing = await run('bash', '-c', 'for f; do [ -f "$f" ] || echo "$f"; done', 'bash', ...files)
    assert.equal(missing.trim(), '')
  })
})
