const { parentPort, workerData } = require('node:worker_threads')

const { upper } = require('../lib/upper.cjs')

parentPort.postMessage(upper(workerData.job.worker.workerData.word))
process.exit(0)
