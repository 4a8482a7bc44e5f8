import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { Validator } from '@seriousme/openapi-schema-validator'
import openapiTypescript, { type OpenAPI3 } from 'openapi-typescript'
import { programRoot } from '../root.ts'

export interface Description {
  openapi: string
  servers: { url: string }[]
  tags: { name: string; description: string }[]
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, object> }
}

export interface Operation {
  operationId: string
  tags: string[]
  parameters: { name: string; in: string; schema: Record<string, unknown> }[]
  responses: Record<
    string,
    { $ref?: string; headers?: object; content?: Record<string, { schema: unknown }> }
  >
}

/** Runs two independent validators; both must find nothing. */
export async function assertValid(description: Description): Promise<void> {
  assert.deepEqual(await faultsOf(description), [])
  // Proves that they check: both refuse a description whose operations have no responses.
  const broken = structuredClone(description)
  for (const item of Object.values(broken.paths))
    for (const operation of Object.values(item)) Object.assign(operation, { responses: 1 })
  const faults = await faultsOf(broken)
  for (const validator of ['schema', 'redocly'])
    assert.ok(
      faults.some(fault => fault.startsWith(validator)),
      validator,
    )
}

async function faultsOf(description: Description): Promise<string[]> {
  const { valid, errors } = await new Validator().validate({ ...structuredClone(description) })
  const ofSchema = valid ? [] : [`schema: ${JSON.stringify(errors)}`]
  const config = await createConfig({
    extends: ['recommended-strict'],
    rules: {
      // `/api/jobs/repo` is beside `/api/jobs/{id}`; `repo` is refused as a job's id.
      'no-ambiguous-paths': 'off',
      // Every instance has its own address, and a laptop's is localhost.
      'no-server-example.com': 'off',
      'operation-operationId': 'error',
      'operation-4xx-response': 'error',
      'tag-description': 'error',
      'operation-singular-tag': 'error',
      'operation-tag-defined': 'error',
      'no-unused-components': 'error',
      'no-schema-type-mismatch': 'error',
    },
  })
  const problems = await lintFromString({
    source: JSON.stringify(description),
    absoluteRef: '/openapi.json',
    config,
  })
  return [
    ...ofSchema,
    ...problems.map(
      ({ ruleId, message, location }) => `redocly ${ruleId}: ${message} at ${location[0]?.pointer}`,
    ),
  ]
}

/**
 * Generates a client's types with a third-party generator, and compiles `use`, which imports them from `./schema.ts`,
 * with the project's own compiler, strictly.
 */
export async function assertClientCompiles(
  t: TestContext,
  description: Description,
  use: string,
): Promise<void> {
  const schema = await openapiTypescript(structuredClone(description) as unknown as OpenAPI3)
  // Below the project, so that the compiler finds its own library.
  const cache = programRoot('node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  const dir = mkdtempSync(join(cache, 'client-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  writeFileSync(join(dir, 'schema.ts'), schema)
  writeFileSync(join(dir, 'client.ts'), use)
  const options = {
    strict: true,
    noEmit: true,
    target: 'esnext',
    module: 'nodenext',
    lib: ['esnext', 'dom'],
    types: [],
    allowImportingTsExtensions: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
  }
  writeFileSync(
    join(dir, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: options, files: ['client.ts'] }),
  )
  writeFileSync(join(dir, 'package.json'), '{"type": "module"}')
  const compiled = spawnSync(programRoot('node_modules/.bin/tsc'), ['-p', dir], { encoding: 'utf8' })
  assert.equal(compiled.status, 0, compiled.stdout + compiled.stderr)
}
