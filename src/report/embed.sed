# Turns each text file into a C string with a comma after it; needs sed -s.
s/\\/\\\\/g
s/"/\\"/g
s/^/"/
s/$/\\n"/
$s/$/,/
