import type { TestContext } from 'node:test'
import type { Clock } from '../../src/clock.ts'
import type { Plugin } from '../../src/kernel/plugin.ts'
import { eventually } from '../../src/testing/eventually.ts'
import type { Driver, InstanceSpec } from '../provisioner/driver.ts'
import { testFleet } from '../provisioner/fleet.fixture.ts'
import { withImages } from '../provisioner/images.fixture.ts'
import { upgrades } from './index.ts'
import type { WireUpgrade } from './wire.ts'

export const isNew = ({ image }: Pick<InstanceSpec, 'image'>) => image === 'runtime:2'

/** A fleet whose instances are said to be made from images, with what a test of fleet upgrades asks of it. */
export async function upgradableFleet(
  t: Pick<TestContext, 'after'>,
  options: {
    root?: string
    clock?: Clock
    start?(spec: InstanceSpec, volume: string): void | Promise<void>
    findImage?(image: string): string | null
    change?(driver: Driver): Partial<Driver>
    plugins?: readonly Plugin[]
  } = {},
) {
  const { root, clock, plugins = [], change = () => ({}), ...images } = options
  const fleet = await testFleet(t, {
    ...(root && { root }),
    ...(clock && { clock }),
    plugins: [upgrades, ...plugins],
    driver: real => {
      const driver = withImages(real, images)
      return { ...driver, ...change(driver) }
    },
  })
  const post = (path: string, body: object = {}, wait = 0) =>
    fleet.admin<WireUpgrade & { detail?: string; errors?: { path: string; message: string }[] }>(
      'POST',
      `/admin/upgrades${path}`,
      { body, ...(wait && { wait }) },
    )
  const get = async (id: string) => (await fleet.admin<WireUpgrade>('GET', `/admin/upgrades/${id}`)).body
  return {
    fleet,
    post,
    get,
    /** Starts the upgrade to `runtime:2`, without a pause between the waves. */
    start: (body: object = {}, wait = 0) => post('', { image: 'runtime:2', soak: '0s', ...body }, wait),
    reaches: (id: string, what: string, isSo: (upgrade: WireUpgrade) => boolean) =>
      eventually(what, async () => {
        const upgrade = await get(id)
        return isSo(upgrade) && upgrade
      }),
    instance: async (subdomain: string) => (await fleet.admin('GET', `/admin/instances/${subdomain}`)).body,
    provisionAll: async (...names: string[]) => {
      for (const name of names) {
        const { body } = await fleet.provision(name)
        if (body.status !== 'running') throw new Error(`${name} does not run: ${JSON.stringify(body)}`)
      }
    },
  }
}

/** How its instances stand, as `acme upgraded`. */
export const standing = ({ instances }: WireUpgrade) =>
  instances.map(({ subdomain, status }) => `${subdomain} ${status}`)
