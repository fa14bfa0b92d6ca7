// Loaded into every process the lab starts: the channel to the lab closes with the lab, however that ends.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
