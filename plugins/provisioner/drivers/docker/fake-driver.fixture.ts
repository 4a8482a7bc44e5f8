import type { InstanceSpec } from '../../driver.ts'
import { createDockerDriver, defaultLimits } from './docker.ts'

export const ref = { id: 'inst_1', subdomain: 'acme' }
export const spec: InstanceSpec = {
  ...ref,
  ownerEmail: 'ada@example.com',
  image: 'registry.example/runtime:1',
  imageId: null,
  volume: '/volumes/acme',
  passwordHash: 'x',
  publicUrl: 'https://acme.example.com',
  timezone: 'UTC',
  stopGraceMs: 1000,
  limits: null,
  environment: {},
}
export const name = 'longhouse-acme'
/** A driver whose engine is that socket. */
export const driverAt = (socketPath: string, answerWithinMs?: number) =>
  createDockerDriver({
    ...{ socketPath, ...(answerWithinMs !== undefined && { answerWithinMs }) },
    network: 'none',
    mode: 'port',
    domain: 'example.test',
    limits: defaultLimits,
  })
