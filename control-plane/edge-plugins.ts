import { domains } from '../plugins/domains/index.ts'
import { gate } from '../plugins/gate/index.ts'
import { router } from '../plugins/router/index.ts'
import { tls } from '../plugins/tls/index.ts'
import { traffic } from '../plugins/traffic/index.ts'

/** How requests get from customers to their instances. */
export const edgePlugins = [router, domains, gate, tls, traffic]
