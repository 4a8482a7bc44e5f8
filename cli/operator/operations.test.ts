import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { bootForTest } from '../../control-plane/boot.fixture.ts'
import { plugins } from '../../control-plane/program.ts'
import { controlWeb } from '../../control-plane/web.tsx'
import { operations } from './control/operations.ts'

interface Described {
  paths: Record<string, Record<string, { operationId: string }>>
}

/** Operations of the admin API without a command of their own, each with the reason. `longhouse api` reaches them all. */
const leftOut: Record<string, string> = {
  deprovisionAdminInstance: 'the same as a DELETE, for forms',
  purgeAdminInstance: 'the same as a DELETE, for forms',
  gateAdminInstance: 'the same as a PUT, for forms',
  removeAdminInstanceDomain: 'the same as a DELETE, for forms',
  revokeAdminToken: 'the same as a DELETE, for forms',
  beginAnewAdminInstance: 'whether data are given up is decided on the page, which shows what was found',
  backupsAdminInstance: 'the body is a file, which curl sends',
  billAdminInstance: 'billing has its pages',
  exemptAdminInstance: 'billing has its pages',
  getAdminInstanceTraffic: 'its page draws it',
}

/** The same for all routes below a path that have no command. */
const leftOutBelow: Record<string, string> = {
  '/admin/billing': 'billing has its pages',
  '/admin/mail': 'belongs to the page of emails',
  '/admin/me': 'belongs to a person who is signed in with a browser',
  '/admin/operators': 'people are invited and changed on their page',
  '/admin/sessions': 'sessions belong to browsers',
}

test('every operation of the admin API has a command, or a reason why not', async t => {
  const web = controlWeb(
    { url: name => name, mount: () => {} },
    { isOperator: () => false, isOwner: () => false },
  )
  const { app } = await bootForTest(t, plugins, {
    env: { PROVISIONER_DRIVER: 'process', ADMIN_TOKEN: 'a-token-of-this-test-that-is-long-enough' },
    web: { info: web.info },
  })
  const { paths } = (await (await app.request('/openapi.json')).json()) as Described
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => ({
      operationId,
      route: `${method.toUpperCase()} ${path}`,
    })),
  )
  const admin = described.filter(({ route }) => / \/(admin\/|metrics$)/.test(route))
  assert.ok(admin.length > 40)
  const known = { ...operations, ...leftOut }
  const isBelow = (route: string, path: string) => new RegExp(`^\\w+ ${path}(/|$)`).test(route)
  assert.deepEqual(
    admin.filter(
      ({ operationId, route }) =>
        !(operationId in known) && !Object.keys(leftOutBelow).some(path => isBelow(route, path)),
    ),
    [],
    'give them a command in cli/operator, or name them above with the reason',
  )
  for (const [id, route] of Object.entries(operations)) {
    assert.equal(described.find(({ operationId }) => operationId === id)?.route, route, id)
    assert.ok(!(id in leftOut), id)
  }
  const ids = admin.map(({ operationId }) => operationId)
  assert.deepEqual(
    Object.keys(leftOut).filter(id => !ids.includes(id)),
    [],
    'left out, and not there any more',
  )
  for (const path of Object.keys(leftOutBelow))
    assert.ok(
      admin.some(({ route }) => isBelow(route, path)),
      path,
    )
})

test('every operation that the command line knows is used by a command', () => {
  const sources = globSync('*.ts', { cwd: import.meta.dirname })
    .filter(file => !/\.(test|fixture)\.ts$|^operations\.ts$/.test(file))
    .map(file => readFileSync(join(import.meta.dirname, file), 'utf8'))
    .join('\n')
  for (const id of Object.keys(operations)) assert.ok(sources.includes(`'${id}'`), id)
})
