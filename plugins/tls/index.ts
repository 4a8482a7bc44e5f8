import { join } from 'node:path'
import { CertificateStore } from '../../src/http/tls/certificate-store.ts'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import type { Task } from '../../src/kernel/tasks.ts'
import '../router/contract.ts'
import '../site/contract.ts'
import { failedOrders } from './orders/attempts.ts'
import { AcmeAuthority } from './orders/authority.ts'
import { CertificateFolder } from './orders/certificate-folder.ts'
import { type Wanted, wantedCertificates } from './orders/names.ts'
import { Renewal } from './orders/renewal.ts'
import { certificateConcerns, certificateMetrics, concernKinds } from './reports.ts'
import * as schema from './schema.ts'
import { tlsSettings } from './settings.ts'

/** HTTPS of our own: the certificates that the listener shows, and their renewal. */
export const tls = definePlugin({
  name: 'tls',
  needs: ['site', 'router'],
  config: tlsSettings,
  tables: { schema, migrations: 'plugins/tls/migrations' },
  setup({ config: { files, acme }, services: { site, router }, db, clock, log }) {
    if (!site.tls) return {}
    const fallback = `control.${site.domain}`
    const folder = acme && new CertificateFolder(join(site.dataRoot, '.control', 'certificates'))
    const certificates = folder ? folder.source(fallback) : { files, folder: null, fallback }
    const store = new CertificateStore(certificates, log)
    const failures = failedOrders(db)
    const now = () => clock.now()
    const wanted = (): readonly Wanted[] =>
      wantedCertificates({
        domain: site.domain,
        wildcard: acme?.dnsHook !== undefined,
        subdomains: router.subdomains(),
        hosts: router.hosts(),
      })
    const report = () => {
      const needed = folder && new Set(wanted().map(({ name }) => folder.fileOf(name)))
      // One that nothing needs is not renewed, and its end is no one's concern.
      const kept = needed ? store.all.filter(({ file }) => needed.has(file)) : store.all
      return { kept, failed: failures.all() }
    }
    const tasks: Task[] = [{ name: 'look', everyMs: 60_000, run: async () => store.refresh() }]
    if (acme && folder) {
      const authority = new AcmeAuthority({ settings: acme, folder, now, sleep: clock.sleep })
      const renewal = new Renewal({
        folder,
        store,
        failures,
        now,
        sleep: clock.sleep,
        log,
        order: (wanted, signal) => authority.order(wanted, signal),
        wanted,
      })
      tasks.push({ name: 'renew', everyMs: 10_000, run: signal => renewal.round(signal) })
      if (acme.dnsHook !== undefined)
        tasks.push({
          name: 'remove-records',
          everyMs: 3_600_000,
          run: signal => authority.removeRecords(signal),
        })
    }
    return {
      tasks,
      hooks: { 'certificate-source': () => ({ certificates, challenges: folder?.challenges ?? null }) },
      concerns: () => certificateConcerns(report(), now()),
      concernKinds,
      metrics: () => certificateMetrics(report()),
    }
  },
})
