import './scheme-targets.mjs';
import './token-targets.mjs';
import './grammar-targets.mjs';
import './helper-targets.mjs';
import './request-targets.mjs';
import './response-targets.mjs';

export { TARGETS } from './target.mjs';
