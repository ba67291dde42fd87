// How the bootstrap speaks: progress to the terminal, and one way to give up.
const began = Date.now();

export function tell(sentence) {
	process.stdout.write(`[${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s] ${sentence}\n`);
}

/** For what the user has to do something about. */
export function stop(sentence) {
	process.stderr.write(`ipvigil: ${sentence}\n`);
	process.exit(1);
}
