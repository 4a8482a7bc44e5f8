import type { PageProps } from '../../../views/layout.tsx'
import { operatorFrame } from '../../../views/operator/operator-frame.ts'
import type { ProvisionerRoutes } from './answer.ts'
import { diskWarning, taskWarning } from './warnings.ts'

/**
 * What surrounds each of the provisioner's pages about instances. `refresh`: after how many seconds a browser without JavaScript
 * reloads it.
 */
export function frame(parts: ProvisionerRoutes, title: string, refresh?: number): PageProps {
  return framed(parts, operatorFrame(title, '/admin/instances'), refresh)
}

/** The same for its pages about the host. */
export function hostFrame(parts: ProvisionerRoutes, title: string): PageProps {
  return framed(parts, operatorFrame(title, '/admin/disk'))
}

function framed(
  { fleet, orphans, taskFaults }: ProvisionerRoutes,
  about: PageProps,
  refresh?: number,
): PageProps {
  return {
    ...about,
    warning:
      diskWarning(fleet.site.dataRoot) ??
      taskWarning(taskFaults()) ??
      orphans.warning ??
      fleet.driver.warning,
    ...(refresh ? { refresh } : {}),
  }
}
