import { parentPort, workerData } from 'node:worker_threads'
import { sum } from '../lib/sum'

const { values } = workerData.job.worker.workerData as { values: number[] }
parentPort?.postMessage({ sum: sum(values) })
process.exit(0)
