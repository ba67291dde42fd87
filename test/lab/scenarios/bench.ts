/** The benchmark's scenarios, in the guest's list like every other; what they do is in test/bench/lab.ts. */
export { default } from '../../bench/lab.js';
