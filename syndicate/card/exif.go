package card

func orientation(b []byte) int {
	for i := 2; i+4 <= len(b) && b[i] == 0xFF && b[i+1] != 0xDA; {
		n := int(b[i+2])<<8 | int(b[i+3])
		end := i + 2 + n
		if n < 2 || end > len(b) {
			return 1
		}
		if b[i+1] == 0xE1 && n >= 16 && string(b[i+4:i+10]) == "Exif\x00\x00" {
			return tiffOrientation(b[i+10 : end])
		}
		i = end
	}
	return 1
}

func tiffOrientation(t []byte) int {
	if len(t) < 8 {
		return 1
	}
	at := func(i int) int { // of two bytes
		if i < 0 || i+2 > len(t) {
			return 0
		}
		if t[0] == 'I' {
			return int(t[i]) | int(t[i+1])<<8
		}
		return int(t[i])<<8 | int(t[i+1])
	}
	first := at(4)<<16 | at(6)
	if t[0] == 'I' {
		first = at(6)<<16 | at(4)
	}
	if first > len(t) {
		return 1
	}
	for n, i := at(first), first+2; n > 0 && i+12 <= len(t); n, i = n-1, i+12 {
		if at(i) == 0x0112 {
			if o := at(i + 8); o >= 1 && o <= 8 {
				return o
			}
			return 1
		}
	}
	return 1
}
