/** The benchmark's scenarios of the hooks, in the guest's list like every other; what they do is in test/bench/hooks.ts. */
export { default } from '../../bench/hooks.js';
