import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import tls from 'node:tls'
import { BootError } from '../../src/boot-error.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import type { InstanceSpec } from '../provisioner/driver.ts'
import { testFleet } from '../provisioner/fleet.fixture.ts'
import { certificates } from './index.ts'

test('the authorities of the operator are in the environment of every instance', async t => {
  const [one = '', two = ''] = tls.rootCertificates
  const file = join(temporaryFolder(t), 'ca.pem')
  writeFileSync(file, `Ours:\n${one}\n\nand another one:\n${two}\n`)
  const specs: InstanceSpec[] = []
  const fleet = await testFleet(t, {
    plugins: [certificates],
    env: { LONGHOUSE_CA_FILE: file },
    driver: real => ({
      ...real,
      create: spec => {
        specs.push(spec)
        return real.create(spec)
      },
    }),
  })
  await fleet.provision('acme')
  assert.equal(specs[0]?.environment.LONGHOUSE_CA_CERTIFICATES, `${one}\n${two}`)
})

test('a file that is missing, or holds no certificate, stops the start by name', async t => {
  const dir = temporaryFolder(t)
  writeFileSync(join(dir, 'empty.pem'), 'nothing')
  writeFileSync(join(dir, 'bad.pem'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
  for (const [name, why] of Object.entries({
    'missing.pem': /LONGHOUSE_CA_FILE: .*missing\.pem cannot be read \(ENOENT\)/,
    'empty.pem': /LONGHOUSE_CA_FILE: .*empty\.pem holds no certificate in PEM form/,
    'bad.pem': /LONGHOUSE_CA_FILE: .*bad\.pem holds a certificate that cannot be read, number 1 of 1/,
  })) {
    await assert.rejects(
      testFleet(t, { plugins: [certificates], env: { LONGHOUSE_CA_FILE: join(dir, name) } }),
      (error: Error) => error instanceof BootError && why.test(error.message),
      name,
    )
  }
})
