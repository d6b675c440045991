// The station's page mounts here.
import '../shared/tokens.css';

document.title = 'Lamplight station';
