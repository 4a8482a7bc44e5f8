import type { PageProps } from '../../../views/layout.tsx'
import { operatorFrame } from '../../../views/operator/operator-frame.ts'
import type { ProvisionerRoutes } from './answer.ts'
import { diskWarning, taskWarning } from './warnings.ts'

/** What surrounds each of the provisioner's pages. `refresh`: after how many seconds a browser without JavaScript reloads it. */
export function frame(
  { fleet, orphans, taskFaults }: ProvisionerRoutes,
  title: string,
  refresh?: number,
): PageProps {
  return {
    ...operatorFrame(title, '/admin/instances'),
    warning:
      diskWarning(fleet.site.dataRoot) ??
      taskWarning(taskFaults()) ??
      orphans.warning ??
      fleet.driver.warning,
    ...(refresh ? { refresh } : {}),
  }
}
